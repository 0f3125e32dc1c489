/* SPDX-License-Identifier: ISC */
/* The queue as it lies on disk while the suite is stopped. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "libglobal/ipc_envelope.h"
#include "libglobal/large.h"
#include "libglobal/qstate_recover.h"
#include "libglobal/queue_entry.h"
#include "libglobal/slot.h"
#include "libtask/io.h"
#include "libutil/buf.h"
#include "tools/queue.h"

struct survey {
	struct tool		*tool;
	struct qstate		*state;
	int			 queue_fd;
	queue_entry_fn		*each;
	void			*arg;
	const char		*wanted;	/* to show, or NULL */
	struct queue_place	 place;		/* where that is */
	bool			 found;
};

/* of_envelope - an entry of a message that was never tried */
static int
of_envelope(const struct recover_item *item, struct arena *a,
    struct msg_queue_entry *e)
{
	struct msg_envelope	*env;
	void			*unpacked;
	int			 r;

	r = ipc_unpack(&msg_envelope_desc, item->envelope, a, &unpacked);
	if (r < 0)
		return r;
	env = unpacked;
	*e = (struct msg_queue_entry){ .queue_id = queue_id_text(&item->id),
	    .queue_name = item->finding == RECOVER_HELD ? S("hold") :
	    S("incoming"), .arrival = env->arrival / 1000000,
	    .size = env->content_length, .sender = env->sender };
	e->rcpts.v = ARENA_ARRAY(a, struct msg_queue_rcpt, env->rcpts.n);
	e->rcpts.n = env->rcpts.n;
	for (size_t i = 0; i < env->rcpts.n; i++)
		e->rcpts.v[i] = (struct msg_queue_rcpt){
		    env->rcpts.v[i].address, env->rcpts.v[i].original,
		    SLICE_EMPTY };
	return 0;
}

/* found - one slot or large file */
static int
found(void *arg, const struct recover_item *item)
{
	struct survey		*s = arg;
	struct qstate_message	 m;
	struct msg_queue_entry	 e;
	struct arena		 a = ARENA_INIT;
	int			 r = -ENOENT;

	if (item->finding == RECOVER_DAMAGED || item->finding == RECOVER_MISSING)
		tool_warn(s->tool, "%s: %s", queue_id_is_empty(&item->id) ?
		    "a slot" : item->id.text, item->why == NULL ?
		    "the message is damaged or not there" : item->why);
	if (s->wanted != NULL) {
		if (item->head != NULL && strcmp(item->id.text, s->wanted) == 0) {
			s->place = item->place;
			s->found = true;
		}
		return 0;
	}
	if (item->finding == RECOVER_KNOWN)
		r = queue_entry_of_state(s->state, &item->id, &a, &m, &e);
	else if (item->finding == RECOVER_NEW || item->finding == RECOVER_HELD)
		r = of_envelope(item, &a, &e);
	if (r == 0)
		s->each(s->arg, &e);
	else if (r != -ENOENT)
		tool_warn(s->tool, "%s: its record is damaged", item->id.text);
	arena_free(&a);
	return 0;
}

/* describe - not asked for by a survey that changes nothing */
static int
describe(void *arg, const struct queue_head *head, struct slice envelope,
    struct arena *a, struct qstate_message *message,
    struct qstate_rcpt **rcpts, size_t *rcpt_count)
{
	(void)arg;
	(void)head;
	(void)envelope;
	(void)a;
	(void)message;
	*rcpts = NULL;
	*rcpt_count = 0;
	return 0;
}

/* survey - look at everything */
static int
survey(struct survey *s)
{
	struct recover_ops	ops = { s, describe, NULL, found };
	struct recover_totals	totals;
	const char		*queue = tool_value(s->tool, "queue_directory");
	int			r;

	s->queue_fd = open(queue, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = s->queue_fd < 0 ? -errno :
	    qstate_open_read(s->queue_fd, &s->state);
	if (r == -ENOENT)
		return TOOL_OK;		/* it was never used */
	if (r == -EACCES || r == -EPERM)
		return tool_fail(s->tool, "the mail system does not run; what "
		    "is in the queue then, root can see");
	if (r == 0)
		r = qstate_survey(s->state, s->queue_fd, &ops, &totals);
	if (r < 0)
		return tool_fail(s->tool, "cannot read the queue in %s: %s",
		    queue, strerror(-r));
	return TOOL_OK;
}

static void
survey_done(struct survey *s)
{
	qstate_close(&s->state);
	fd_close(&s->queue_fd);
}

/* queue_stopped_list - all messages */
int
queue_stopped_list(struct tool *tool, queue_entry_fn *each, void *arg)
{
	struct survey	s = { .tool = tool, .queue_fd = -1, .each = each,
			    .arg = arg };
	int		r = survey(&s);

	survey_done(&s);
	return r;
}

/* show_place - the message that lies there */
static int
show_place(struct survey *s)
{
	struct queue_head	head;
	struct buf		envelope = BUF_INIT;
	struct queue_id		id;
	uint64_t		base = 0;
	int			fd = -1, r;

	if (s->place.kind == QUEUE_PLACE_LARGE) {
		r = queue_id_parse(slice_of(s->wanted), &id);
		if (r == 0)
			r = large_open(s->queue_fd, &id, &fd, &head, &envelope);
	} else if ((r = slot_open_read(s->queue_fd, s->place.slot, &fd)) == 0 &&
	    (r = slot_read_head(fd, s->place.slot, &head)) == 0) {
		r = slot_read_envelope(fd, &head, &envelope);
		base = QFORMAT_HEAD_SIZE + head.envelope_len;
	}
	r = r < 0 ? tool_fail(s->tool, "%s cannot be read: %s", s->wanted,
	    strerror(-r)) : queue_print_message(s->tool, buf_slice(&envelope),
	    fd, base);
	buf_free(&envelope);
	fd_close(&fd);
	return r;
}

/* queue_stopped_show - one message */
int
queue_stopped_show(struct tool *tool, const char *id)
{
	struct survey	s = { .tool = tool, .queue_fd = -1, .wanted = id };
	int		r = survey(&s);

	if (r == TOOL_OK)
		r = s.found ? show_place(&s) : tool_fail(tool,
		    "there is no message %s", id);
	survey_done(&s);
	return r;
}
