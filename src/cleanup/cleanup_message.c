/* SPDX-License-Identifier: ISC */
/*
 * The content of one message while it comes in: scanned as it comes, kept in
 * memory; beyond content_memory_limit, or when the budget of the process is
 * used up, it moves to a large file of the queue and goes on there.
 */
#include "cleanup/cleanup.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cleanup/cleanup_events.h"
#include "libtask/work.h"


/* message_begin - a message without content */
int
message_begin(struct message *m, struct cleanup *c,
    const struct msg_content_begin *b)
{
	struct scan_limits	limits = SCAN_LIMITS_INIT;
	void			*envelope;
	int			 r;

	memset(m, 0, sizeof(*m));
	m->cleanup = c;
	m->p = daemon_params(c->daemon);
	m->large = (struct large)LARGE_INIT;
	m->sealed = (struct memfile)MEMFILE_INIT;
	m->large_fd = -1;
	m->through = b->through;
	m->each = b->each;
	m->now = b->now;
	m->add_missing = b->add_missing;
	m->again = b->again;
	m->limit = b->size_limit;
	r = ipc_unpack(&msg_envelope_desc, arena_dup(&m->arena, b->envelope),
	    &m->arena, &envelope);
	if (r < 0)
		return r;
	m->envelope = envelope;
	if (m->envelope->rcpts.n == 0)
		return -EBADMSG;	/* nobody's result would be all's */
	if (b->add_received)
		m->received = arena_dup(&m->arena, b->received);
	if ((r = queue_id_parse(m->envelope->queue_id, &m->id)) < 0)
		return r;
	log_init(&m->log, daemon_log(c->daemon));
	log_set(&m->log, KV_STR("queue_id", m->envelope->queue_id));
	limits.depth = (size_t)m->p->mime_nesting_limit;
	limits.boundary_bytes = (size_t)m->p->mime_boundary_length_limit;
	doubt_begin(m);
	m->scan = scan_new(&limits);
	m->content.max = (size_t)m->p->content_memory_limit + 1;
	return 0;
}

struct large_job {
	struct message	*m;
	struct slice	 bytes;
};

/* large_work - on a worker: make the file if need be, and append */
static int
large_work(void *arg)
{
	struct large_job	*j = arg;
	struct message		*m = j->m;
	int			 r = 0;

	if (m->large.fd < 0) {
		r = large_create(QUEUE_HERE, &m->id, &m->large);
		if (r == 0)
			r = large_write(&m->large, buf_slice(&m->content));
	}
	return r < 0 ? r : large_write(&m->large, j->bytes);
}

static void
uncharge(struct message *m)
{
	m->cleanup->memory -= m->charged;
	m->charged = 0;
}

/* to_file - put a run of content into the large file */
static int
to_file(struct task *t, struct message *m, struct slice bytes)
{
	struct large_job	j = { m, bytes };
	int			r = work_run(t, large_work, &j);

	if (r < 0 && r != -ECANCELED)
		log_event(&m->log, EV_CLEANUP_LARGE, KV_ERR("why", r));
	buf_free(&m->content);
	uncharge(m);
	return r;
}

/* message_add - one more run of content. What cannot be kept is dropped, and
 * the client hears of it at the end. */
int
message_add(struct task *t, struct message *m, struct slice bytes)
{
	int r = 0;

	m->length += bytes.len;
	if (m->limit != 0 && m->length > m->limit)
		m->too_large = true;
	if (m->too_large || m->failure < 0)
		return 0;
	scan_feed(m->scan, bytes);
	doubt_content(m, bytes);
	if (m->large.fd >= 0 || m->length > m->p->content_memory_limit ||
	    m->cleanup->memory + bytes.len > m->p->content_memory_budget) {
		r = to_file(t, m, bytes);
	} else {
		m->cleanup->memory += bytes.len;
		m->charged += bytes.len;
		buf_add(&m->content, bytes);
	}
	if (r < 0 && r != -ECANCELED) {
		m->failure = r;
		r = 0;
	}
	return r;
}

/* message_complete - there is no more content */
int
message_complete(struct message *m)
{
	struct buf	encoded = BUF_INIT;

	m->facts = scan_finish(m->scan);
	facts_format(&encoded, m->facts);
	m->envelope->facts = arena_dup(&m->arena, buf_slice(&encoded));
	buf_free(&encoded);
	m->envelope->content_length = m->length;
	return m->large.fd < 0 ? 0 :
	    large_reopen(QUEUE_HERE, &m->large, &m->large_fd);
}

/* message_seal - agents are to read it now, before it is in the queue */
int
message_seal(struct message *m)
{
	int r;

	if (message_fd(m) >= 0)
		return 0;
	if ((r = memfile_new("message", m->length, &m->sealed)) < 0 ||
	    (r = memfile_append(&m->sealed, buf_slice(&m->content))) < 0)
		return r;
	return memfile_seal(&m->sealed);
}

/* message_fd - what agents read the content from; -1: not sealed */
int
message_fd(const struct message *m)
{
	return m->large_fd >= 0 ? m->large_fd : m->sealed.fd;
}

/* message_done - release everything; an uncommitted large file goes away */
void
message_done(struct message *m)
{
	if (m->cleanup == NULL)
		return;
	uncharge(m);
	flight_end(m, false);
	sha256_done(&m->digest);
	large_abandon(QUEUE_HERE, &m->large);
	fd_close(&m->large_fd);
	memfile_done(&m->sealed);
	buf_free(&m->content);
	scan_free(&m->scan);
	arena_free(&m->arena);
	m->cleanup = NULL;
}
