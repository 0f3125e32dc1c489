/* SPDX-License-Identifier: ISC */
/*
 * What the tests of daemons share: the daemons at the other ends of their
 * edges, played by a function that answers messages; no edge at all; no log.
 */
#ifndef TESTS_PEER_DAEMON_H
#define TESTS_PEER_DAEMON_H

#include <stdlib.h>

#include "libtask/ipc.h"
#include "libtask/task.h"
#include "libutil/alloc.h"

struct log_record;

struct peer_daemon {
	const struct ipc_table	 *table;
	ipc_handler		 *answer;
	void			 *arg;
	struct ipc_conn		**live;
	int			  fd;
};

/* peer_daemon_task - answer until the caller closes */
static inline int
peer_daemon_task(struct task *t, void *arg)
{
	struct peer_daemon	*p = arg;
	struct ipc_conn		 c;
	int			 r;

	ipc_open(&c, task_loop(t), &p->fd, p->table, IPC_CALLEE);
	if (p->live != NULL)
		*p->live = &c;
	r = ipc_serve(t, &c, p->answer, p->arg);
	if (p->live != NULL)
		*p->live = NULL;
	ipc_close(&c);
	free(p);
	return r == -ECANCELED ? r : 0;
}

/* peer_daemon_start - a callee at that end of a pair; live (or NULL) is its
 * connection as long as there is one */
static inline void
peer_daemon_start(struct task_group *g, int fd, const struct ipc_table *table,
    ipc_handler *answer, void *arg, struct ipc_conn **live)
{
	struct peer_daemon *p = NEW(struct peer_daemon);

	*p = (struct peer_daemon){ table, answer, arg, live, fd };
	task_group_start(g, peer_daemon_task, p);
}

/* no_edge - for daemons that call nobody */
static inline int
no_edge(struct task *t, void *arg, const char *callee, int *ret_fd)
{
	(void)t;
	(void)arg;
	(void)callee;
	(void)ret_fd;
	return -ECONNREFUSED;
}

/* no_sink - no lines on standard error */
static inline void
no_sink(void *arg, const struct log_record *record)
{
	(void)arg;
	(void)record;
}

#endif
