/* SPDX-License-Identifier: ISC */
/*
 * sched_heap: a priority queue of things that know their place in it, so that
 * any of them can be moved or taken out. For the scheduler. It owns its array,
 * not the things. All zero but for `before` is an empty one.
 */
#ifndef QMGR_SCHED_HEAP_H
#define QMGR_SCHED_HEAP_H

#include <stdbool.h>
#include <stddef.h>

struct sched_node {
	size_t	at;		/* 1 based; 0: in no heap */
};

/* is a to come out before b? A strict order. */
typedef bool	sched_before_fn(const struct sched_node *a,
		    const struct sched_node *b);

struct sched_heap {
	sched_before_fn		 *before;
	struct sched_node	**node;		/* node[0] is the first */
	size_t			  count;
	size_t			  cap;
};

/* sched_heap_first - lends what comes out next, or NULL */
static inline struct sched_node *
sched_heap_first(const struct sched_heap *h)
{
	return h->count == 0 ? NULL : h->node[0];
}

/* put in one that is in no heap */
void	sched_heap_add(struct sched_heap *h, struct sched_node *n);
/* take out one that is in this heap */
void	sched_heap_remove(struct sched_heap *h, struct sched_node *n);
/* its order has changed, up or down */
void	sched_heap_moved(struct sched_heap *h, struct sched_node *n);
void	sched_heap_free(struct sched_heap *h);

#endif
