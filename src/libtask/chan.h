/* SPDX-License-Identifier: ISC */
/*
 * chan: a bounded queue of pointers between tasks of one process. Who sends
 * gives the thing away; who receives gets it.
 */
#ifndef LIBTASK_CHAN_H
#define LIBTASK_CHAN_H

#include "libtask/task.h"

struct chan;

struct chan	*chan_new(size_t capacity);
/* what is still in it is given to drop (may be NULL) */
void	chan_free(struct chan **c_take, void (*drop)(void *));
/* waits for room; -EPIPE once closed */
MUST_USE int	chan_send(struct task *t, struct chan *c, void *thing);
/* waits for a thing; -ENODATA when it is closed and empty */
MUST_USE int	chan_recv(struct task *t, struct chan *c, void **ret_thing);
/* without waiting: -EAGAIN when full (empty) */
MUST_USE int	chan_try_send(struct chan *c, void *thing);
MUST_USE int	chan_try_recv(struct chan *c, void **ret_thing);
/* no more sends; what is in it can still be received */
void	chan_close(struct chan *c);

#endif
