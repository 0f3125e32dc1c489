/* SPDX-License-Identifier: ISC */
/* Loops over ipc_recv for the end that is asked. */
#include <stdlib.h>

#include "libtask/ipc.h"
#include "libutil/alloc.h"

/* ipc_serve - one message after the other */
int
ipc_serve(struct task *t, struct ipc_conn *c, ipc_handler *fn, void *arg)
{
	struct arena	a = ARENA_INIT;
	struct ipc_in	in;
	int		r;

	while ((r = ipc_recv(t, c, &a, &in)) == 0) {
		r = fn(t, c, &in, &a, arg);
		ipc_in_done(&in);
		arena_reset(&a);
		if (r < 0)
			break;
	}
	arena_free(&a);
	return r;
}

struct job {
	struct ipc_conn	*conn;
	ipc_handler	*fn;
	void		*arg;
	struct ipc_in	 in;
	struct arena	 arena;
};

static int
run_job(struct task *t, void *arg)
{
	struct job	*j = arg;
	int		 r = j->fn(t, j->conn, &j->in, &j->arena, j->arg);

	ipc_in_done(&j->in);
	/* the receiver must not wait for another message to hear of it */
	if (r < 0)
		ipc_close(j->conn);
	arena_free(&j->arena);
	free(j);
	return r;
}

/* ipc_serve_parallel - a task for each message */
int
ipc_serve_parallel(struct task *t, struct ipc_conn *c, ipc_handler *fn,
    void *arg, size_t limit)
{
	struct task_group	 g;
	struct job		*j;
	int			 r = 0, end;

	task_group_begin(t, &g);
	while (r == 0 && (r = task_group_wait(t, &g, limit - 1)) == 0 &&
	    g.failure == 0) {
		j = NEW(struct job);
		j->conn = c;
		j->fn = fn;
		j->arg = arg;
		if ((r = ipc_recv(t, c, &j->arena, &j->in)) < 0) {
			arena_free(&j->arena);
			free(j);
			break;
		}
		task_group_start(&g, run_job, j);
	}
	if (r < 0)
		task_group_cancel(&g);
	end = task_group_end(t, &g);
	/* why a handler failed says more than that the connection is closed */
	if (end < 0 && end != -ECANCELED && r != -ECANCELED)
		return end;
	return r < 0 ? r : end;
}
