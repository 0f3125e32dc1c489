/* SPDX-License-Identifier: ISC */
/* The queue through qmgr. */
#include "tools/queue.h"

#include <errno.h>
#include <stdio.h>

#include "libmail/queue_id.h"
#include "libtask/io.h"
#include "libutil/buf.h"

struct ask {
	struct tool		*tool;
	queue_entry_fn		*each;
	void			*arg;
	const char		*id;
	struct msg_queue_do	 change;
	uint64_t		 count;
	int			 result;	/* an exit status */
};

/* run - a talk with qmgr */
struct run {
	struct ask	*ask;
	tool_talk_fn	*talk;
};

static int
run_task(struct task *t, void *arg)
{
	struct run *run = arg;

	return tool_daemon(t, run->ask->tool, "qmgr", &ipc_table_queue_admin,
	    run->talk, run->ask);
}

static int
with_qmgr(struct ask *ask, tool_talk_fn *talk)
{
	struct run	run = { ask, talk };
	int		r = tool_run(run_task, &run);

	if (r < 0 && r != -ECONNREFUSED)	/* which was said */
		return tool_fail(ask->tool, "qmgr does not answer: %s",
		    strerror(-r));
	return r < 0 ? TOOL_FAILED : ask->result;
}

static int
list_talk(struct task *t, struct ipc_conn *c, void *arg)
{
	struct ask			*ask = arg;
	struct arena			 a = ARENA_INIT;
	struct buf			 after = BUF_INIT;
	struct msg_queue_entries	*page;
	void				*reply;
	bool				 more = true;
	int				 r = 0;

	while (more && r == 0) {
		struct msg_queue_list list = { buf_slice(&after) };

		r = ipc_call(t, c, &msg_queue_list_desc, &list,
		    &msg_queue_entries_desc, &a, &reply);
		if (r < 0)
			break;
		page = reply;
		for (size_t i = 0; i < page->entries.n; i++) {
			ask->each(ask->arg, &page->entries.v[i]);
			buf_reset(&after);
			buf_add(&after, page->entries.v[i].queue_id);
		}
		more = page->more && page->entries.n > 0;
		arena_reset(&a);
	}
	buf_free(&after);
	arena_free(&a);
	return r;
}

/* queue_list - all messages */
int
queue_list(struct tool *tool, enum queue_form form)
{
	struct queue_printer	p = { form, 0, 0 };
	struct ask		ask = { .tool = tool, .each = queue_print,
				    .arg = &p };
	int			r;

	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	tool->purpose = "mailq";
	r = tool_is_running(tool) == 0 ?
	    queue_stopped_list(tool, queue_print, &p) :
	    with_qmgr(&ask, list_talk);
	if (r == TOOL_OK)
		queue_print_end(&p);
	return r;
}

/* say_why - beside the message, which alone goes to standard output */
static void
say_why(const struct msg_queue_message *m)
{
	if (m->held)
		fprintf(stderr, "on hold: refused, and its sender is not "
		    "verified\n");
	for (size_t i = 0; i < m->rcpts.n; i++)
		if (m->rcpts.v[i].reason.len > 0)
			fprintf(stderr, "%.*s: %.*s\n",
			    SLICE_ARG(m->rcpts.v[i].address),
			    SLICE_ARG(m->rcpts.v[i].reason));
}

static int
show_talk(struct task *t, struct ipc_conn *c, void *arg)
{
	struct ask			*ask = arg;
	struct msg_queue_show		 show = { slice_of(ask->id) };
	struct msg_queue_message	*m;
	void				*reply;
	int				 r;

	r = ipc_call(t, c, &msg_queue_show_desc, &show,
	    &msg_queue_message_desc, &ask->tool->arena, &reply);
	if (r < 0)
		return r;
	m = reply;
	if (m->envelope.len == 0 || m->content < 0) {
		ask->result = tool_fail(ask->tool, "there is no message %s",
		    ask->id);
	} else {
		say_why(m);
		ask->result = queue_print_message(ask->tool, m->envelope,
		    m->content, m->offset);
	}
	fd_close(&m->content);
	return 0;
}

/* check_id - does the word name a message? */
static int
check_id(const struct tool *tool, const char *word)
{
	struct queue_id id;

	return queue_id_parse(slice_of(word), &id) == 0 ? TOOL_OK :
	    tool_fail(tool, "\"%s\": not a queue id", word);
}

/* queue_show - one message as it would go out */
int
queue_show(struct tool *tool, const char *id)
{
	struct ask ask = { .tool = tool, .id = id };

	if (check_id(tool, id) != TOOL_OK || tool_conf(tool) != 0)
		return TOOL_FAILED;
	return tool_is_running(tool) == 0 ? queue_stopped_show(tool, id) :
	    with_qmgr(&ask, show_talk);
}

static int
do_talk(struct task *t, struct ipc_conn *c, void *arg)
{
	struct ask		*ask = arg;
	struct msg_queue_did	*did;
	void			*reply;
	int			 r;

	r = ipc_call(t, c, &msg_queue_do_desc, &ask->change,
	    &msg_queue_did_desc, &ask->tool->arena, &reply);
	if (r < 0)
		return r;
	did = reply;
	ask->count = did->count;
	if (did->text.len > 0)
		ask->result = tool_fail(ask->tool, "%.*s: %.*s",
		    SLICE_ARG(ask->change.queue_id), SLICE_ARG(did->text));
	return 0;
}

/* queue_do - change something, of one message or ALL */
int
queue_do(struct tool *tool, const char *verb, const char *id,
    const char *queue, const char *site, uint64_t *ret_count)
{
	struct ask	ask = { .tool = tool, .change = { slice_of(verb),
			    slice_of(id), slice_of(queue), slice_of(site) } };
	int		r;

	*ret_count = 0;
	if ((strcmp(id, "ALL") != 0 && check_id(tool, id) != TOOL_OK) ||
	    tool_conf(tool) != 0)
		return TOOL_FAILED;
	tool->purpose = strcmp(verb, "flush") == 0 ? "flush" : NULL;
	r = with_qmgr(&ask, do_talk);
	*ret_count = ask.count;
	return r;
}
