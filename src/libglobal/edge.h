/* SPDX-License-Identifier: ISC */
/*
 * edge: the caller's end of a conversation with another daemon. It is made on
 * first use by asking master, and anew after it broke. Many tasks call over
 * one edge at once.
 *
 * A call whose edge breaks before the answer came returns -ECONNRESET: the
 * callee may or may not have done it. edge_call_again is for calls that may be
 * done twice: it tries once more.
 */
#ifndef LIBGLOBAL_EDGE_H
#define LIBGLOBAL_EDGE_H

#include "libtask/ipc.h"

struct daemon;
struct edge;

/* how an edge is connected: asks master, or in a test hands out a pair */
typedef int	edge_connect_fn(struct task *t, void *arg, const char *callee,
		    int *ret_fd);

struct edge	*edge_new(struct task_group *group, const char *callee,
		    const struct ipc_table *table, edge_connect_fn *connect,
		    void *arg);
void	edge_free(struct edge **e_take);

/* what the callee says that is no answer is given to fn (in the edge's own
 * task); without one it is an error that breaks the edge */
void	edge_on_message(struct edge *e, ipc_handler *fn, void *arg);
/* the first message on every new connection, from a function that fills and
 * sends it */
void	edge_on_open(struct edge *e, int (*fn)(struct task *t,
	    struct ipc_conn *c, void *arg), void *arg);
/* set each time a connection ends; who cares may connect it again at once */
void	edge_on_close(struct edge *e, struct signal *closed);

/* told when the callee broke the rules of the conversation */
void	edge_on_fault(struct edge *e, void (*fn)(void *arg, const char *callee,
	    const char *why), void *arg);

/* see ipc_call; also -ECONNREFUSED when master cannot connect us */
MUST_USE int	edge_call(struct task *t, struct edge *e,
		    const struct ipc_desc *ask, const void *msg,
		    const struct ipc_desc *want, struct arena *a,
		    void **ret_reply);
MUST_USE int	edge_call_again(struct task *t, struct edge *e,
		    const struct ipc_desc *ask, const void *msg,
		    const struct ipc_desc *want, struct arena *a,
		    void **ret_reply);
/* say something that needs no answer */
MUST_USE int	edge_send(struct task *t, struct edge *e,
		    const struct ipc_desc *d, const void *msg);
/* the same, but no sooner than the next message or edge_flush */
MUST_USE int	edge_send_later(struct task *t, struct edge *e,
		    const struct ipc_desc *d, const void *msg);
void	edge_flush(struct edge *e);
/* the same if the edge is open now, without waiting; -ENOTCONN */
MUST_USE int	edge_post(struct edge *e, const struct ipc_desc *d,
		    const void *msg);
/* have it connected (so that edge_on_open has run) */
MUST_USE int	edge_ensure(struct task *t, struct edge *e);
/* wait while it is being connected, if it is */
MUST_USE int	edge_settle(struct task *t, struct edge *e);
/* what begins after this goes over a new connection, to the process that has
 * the callee's part now; calls that have begun are finished over the old one.
 * For conversations of calls, where a connection is nothing but its calls. */
void	edge_renew(struct edge *e);
/* raised each time it is connected anew; 0: never was */
uint64_t	edge_generation(const struct edge *e);

#endif
