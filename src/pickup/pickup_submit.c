/* SPDX-License-Identifier: ISC */
/*
 * One file: open, read, give to cleanup, and what the answer means for it.
 * Only a message that is durable, or that its sender was told is not taken,
 * leaves the folder.
 *
 * When cleanup or we die in between, nobody knows whether the message is in
 * the queue. It is given to cleanup again under the same id, with the word
 * that it may be there already; not at once, so that what was on its way has
 * arrived.
 */
#include "pickup/pickup.h"

#include <stdlib.h>
#include <string.h>

#include "libutil/alloc.h"
#include "pickup/pickup_events.h"

#define SETTLED_AFTER	1000000		/* us; then what happened is known */
#define LATER_MIN	1000		/* ms */
#define LATER_MAX	60000
#define LATER_COUNT	100000		/* files whose time is remembered */
#define ID_PROCESS	0x80000000u	/* master counts from 1 */

/* later - leave the file alone for a while, the longer the older it is */
static void
later(struct task *t, struct submission *s)
{
	struct pickup	*p = s->pickup;
	int64_t		 age = (task_wall(t) - s->file.arrival) / 1000;
	int64_t		*when;

	if (p->later.count >= LATER_COUNT)
		return;
	when = NEW(int64_t);
	*when = task_now(t) + (age < 2 * LATER_MIN ? LATER_MIN :
	    age > 2 * LATER_MAX ? LATER_MAX : age / 2);
	p->soonest = *when < p->soonest ? *when : p->soonest;
	free(hash_put(&p->later, slice_of(s->file.name), when));
	signal_set(&p->wake);
}

/* file_fails - the disk, or the folder: try again */
static void
file_fails(struct task *t, struct submission *s, int error)
{
	log_event(daemon_log(s->daemon), EV_PICKUP_FILE,
	    KV_TEXT("file", s->file.name), KV_ERR("why", error));
	later(t, s);
}

/* set_aside - what is no message is not tried again */
static int
set_aside(struct task *t, struct submission *s, const char *why)
{
	int r = drop_file_set_aside(t, s->pickup->folder, &s->file);

	if (r == 0)
		log_event(daemon_log(s->daemon), EV_PICKUP_ASIDE,
		    KV_TEXT("file", s->file.name), KV_TEXT("why", why),
		    KV_TEXT("what", s->file.irregular ? "removed" :
		    "moved to maildrop/" DROP_CORRUPT));
	else if (r != -ECANCELED)
		file_fails(t, s, r);
	return r == -ECANCELED ? r : 0;
}

/* drop_file_id - it is the same whenever the file is read */
struct queue_id
drop_file_id(const struct drop_file *f, enum drop_id what)
{
	uint64_t		h = hash_siphash(what, 0, slice_of(f->name));
	struct queue_id_source	ids = { .process = ID_PROCESS | (uint32_t)h,
				    .count = (uint32_t)(h >> 32) };

	return queue_id_make(&ids, (uint64_t)f->arrival / 1000000,
	    (uint32_t)(f->arrival % 1000000));
}

/* parameters - as they are now */
static void
parameters(struct submission *s)
{
	const struct pickup_params *p = daemon_params(s->daemon);

	s->message_limit = p->message_size_limit;
	s->header_limit = p->header_size_limit;
	s->host = arena_dup(&s->arena, p->myhostname);
	s->software = arena_dup(&s->arena, p->mail_name);
}

/* read_content - all of it, or as much as it takes to refuse it */
static int
read_content(struct task *t, struct submission *s)
{
	struct buf	b = BUF_INIT;
	int		more = 1, r = 0;

	while (r == 0 && more > 0 && s->refusal.code == 0) {
		r = more = drop_file_read(t, &s->file, &b);
		if (r > 0)
			r = submission_data(t, s, buf_slice(&b));
	}
	buf_free(&b);
	return r;
}

/* take - the whole message */
static int
take(struct task *t, struct submission *s, struct status *ret_status)
{
	void	*drop;
	int	 r;

	if (ipc_unpack(&msg_drop_desc, buf_slice(&s->file.envelope),
	    &s->arena, &drop) < 0) {
		s->file.why = "its envelope is damaged";
		return -EBADMSG;
	}
	s->drop = drop;
	if ((r = submission_begin(t, s)) == 0 && (r = read_content(t, s)) == 0)
		r = submission_end(t, s, ret_status);
	return r;
}

/* remove_file - its message is where it belongs */
static int
remove_file(struct task *t, struct submission *s)
{
	int r = drop_file_remove(t, s->pickup->folder, &s->file);

	s->pickup->dirty = true;
	if (r < 0 && r != -ECANCELED && r != -ENOENT)
		file_fails(t, s, r);
	return r == -ECANCELED ? r : 0;
}

/* refused - for good: the sender is told; where that cannot be, an
 * administrator finds the message */
static int
refused(struct task *t, struct submission *s, const struct status *why)
{
	struct buf	text = BUF_INIT;
	int		r;

	status_format(&text, why);
	log_event(daemon_log(s->daemon), EV_PICKUP_REJECT,
	    KV_STR("queue_id", queue_id_text(&s->id)),
	    KV_UINT("uid", s->file.uid), KV_STR("reply", buf_slice(&text)));
	r = pickup_return(t, s, why);
	if (r == 0) {
		r = remove_file(t, s);
	} else if (r == -ENOENT) {
		buf_add(&text, S(", and there is no sender to be told"));
		r = set_aside(t, s, buf_cstr(&text));
	} else if (r != -ECANCELED) {
		later(t, s);
		r = 0;
	}
	buf_free(&text);
	return r;
}

/* settle - the answer, and what it means for the file */
static int
settle(struct task *t, struct submission *s, const struct status *status)
{
	struct buf text = BUF_INIT;

	if (status_is_ok(status))
		return remove_file(t, s);
	if (status->code >= 500)
		return refused(t, s, status);
	status_format(&text, status);
	log_event(daemon_log(s->daemon), EV_PICKUP_DEFER,
	    KV_STR("queue_id", queue_id_text(&s->id)),
	    KV_UINT("uid", s->file.uid), KV_STR("reply", buf_slice(&text)));
	buf_free(&text);
	later(t, s);
	return 0;
}

/* process - a file that could be opened */
static int
process(struct task *t, struct submission *s)
{
	int64_t		now = task_wall(t);
	struct status	status = STATUS_INIT;
	int		r;

	s->id = drop_file_id(&s->file, DROP_ID_MESSAGE);
	s->again = s->file.arrival < s->pickup->started ||
	    s->file.arrival < now - SETTLED_AFTER;
	if (s->again && s->file.arrival < now &&
	    s->file.arrival > now - SETTLED_AFTER) {
		later(t, s);
		return 0;
	}
	r = take(t, s, &status);
	if (r == -EBADMSG)
		return set_aside(t, s, s->file.why);
	if (r < 0 && r != -ECANCELED) {
		file_fails(t, s, r);
		return 0;
	}
	return r < 0 ? r : settle(t, s, &status);
}

/* pickup_submit - a file of the folder */
int
pickup_submit(struct task *t, struct pickup *p, const char *name)
{
	struct submission	*s = NEW(struct submission);
	int			 r;

	s->pickup = p;
	s->daemon = p->daemon;
	s->file.fd = -1;
	memcpy(s->file.name, name, sizeof(s->file.name));
	parameters(s);
	r = drop_file_open(t, p->folder, s->message_limit, &s->file);
	if (r == 0)
		r = process(t, s);
	else if (r == -EBADMSG)
		r = set_aside(t, s, s->file.why);
	else if (r != -ENOENT && r != -ECANCELED) {
		file_fails(t, s, r);
		r = 0;
	}
	content_channel_drop(&s->channel);
	drop_file_close(&s->file);
	buf_free(&s->header);
	buf_free(&s->kept);
	arena_free(&s->arena);
	free(s);
	return r;
}
