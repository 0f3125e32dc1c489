/* SPDX-License-Identifier: ISC */
/*
 * list: a circular doubly linked list whose links sit inside the things that
 * are in it. The list owns nothing. A link that is in no list points at
 * itself after link_init, and list_remove on it is a no-op.
 */
#ifndef LIBUTIL_LIST_H
#define LIBUTIL_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list	*next;
	struct list	*prev;
};

#define LIST_INIT(l)	{ &(l), &(l) }

/* the struct of that type whose member is this link */
#define CONTAINER_OF(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/* walk; the body must not remove anything but through LIST_EACH_SAFE */
#define LIST_EACH(l, i) \
	for (struct list *i = (l)->next; i != (l); i = i->next)
#define LIST_EACH_SAFE(l, i) \
	for (struct list *i = (l)->next, *i##_next = i->next; i != (l); \
	    i = i##_next, i##_next = i->next)

static inline void
list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool
list_is_empty(const struct list *l)
{
	return l->next == l;
}

/* list_add_tail - put a link last */
static inline void
list_add_tail(struct list *l, struct list *link)
{
	link->next = l;
	link->prev = l->prev;
	l->prev->next = link;
	l->prev = link;
}

/* list_add_head - put a link first */
static inline void
list_add_head(struct list *l, struct list *link)
{
	list_add_tail(l->next, link);
}

/* list_remove - take a link out of whatever list it is in */
static inline void
list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

/* list_take_head - take the first link out; NULL when there is none */
static inline struct list *
list_take_head(struct list *l)
{
	struct list *link = l->next;

	if (link == l)
		return NULL;
	list_remove(link);
	return link;
}

#endif
