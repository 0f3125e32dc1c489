/* SPDX-License-Identifier: ISC */
#include "qmgr/sched_heap.h"

#include <assert.h>
#include <stdlib.h>

#include "libutil/alloc.h"

/* place - put a node at a place and tell it so */
static void
place(struct sched_heap *h, size_t i, struct sched_node *n)
{
	h->node[i] = n;
	n->at = i + 1;
}

/* rise - move a node up to where it belongs */
static void
rise(struct sched_heap *h, size_t i)
{
	struct sched_node *n = h->node[i];
	size_t		   parent;

	for (; i > 0; i = parent) {
		parent = (i - 1) / 2;
		if (!h->before(n, h->node[parent]))
			break;
		place(h, i, h->node[parent]);
	}
	place(h, i, n);
}

/* sink - move a node down to where it belongs */
static void
sink(struct sched_heap *h, size_t i)
{
	struct sched_node *n = h->node[i];
	size_t		   child;

	for (; (child = 2 * i + 1) < h->count; i = child) {
		if (child + 1 < h->count &&
		    h->before(h->node[child + 1], h->node[child]))
			child++;
		if (!h->before(h->node[child], n))
			break;
		place(h, i, h->node[child]);
	}
	place(h, i, n);
}

/* sched_heap_add - put in a node */
void
sched_heap_add(struct sched_heap *h, struct sched_node *n)
{
	assert(n->at == 0);
	if (h->count == h->cap) {
		h->cap = h->cap == 0 ? 4 : h->cap * 2;
		h->node = xreallocarray(h->node, h->cap, sizeof(n));
	}
	place(h, h->count++, n);
	rise(h, n->at - 1);
}

/* sched_heap_remove - take out a node */
void
sched_heap_remove(struct sched_heap *h, struct sched_node *n)
{
	size_t	i = n->at - 1;

	assert(i < h->count && h->node[i] == n);
	n->at = 0;
	if (i == --h->count)
		return;
	place(h, i, h->node[h->count]);
	sched_heap_moved(h, h->node[i]);
}

/* sched_heap_moved - put a node where it belongs now */
void
sched_heap_moved(struct sched_heap *h, struct sched_node *n)
{
	rise(h, n->at - 1);
	sink(h, n->at - 1);
}

/* sched_heap_free - release the array */
void
sched_heap_free(struct sched_heap *h)
{
	free(h->node);
	h->node = NULL;
	h->count = h->cap = 0;
}
