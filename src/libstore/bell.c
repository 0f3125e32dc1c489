/* SPDX-License-Identifier: ISC */
/* A list of signals; ringing twice before a listener ran wakes it once. */
#include "libstore/bell.h"

/* bell_init - nobody listens */
void
bell_init(struct bell *b)
{
	list_init(&b->listeners);
	b->rings = 0;
}

/* bell_listener_init - one that does not listen yet */
void
bell_listener_init(struct bell_listener *l)
{
	list_init(&l->link);
	l->rung = (struct signal)SIGNAL_INIT;
}

/* bell_listen - be woken from now on */
void
bell_listen(struct bell *b, struct bell_listener *l)
{
	bell_listener_init(l);
	list_add_tail(&b->listeners, &l->link);
}

/* bell_leave - be woken no more */
void
bell_leave(struct bell_listener *l)
{
	list_remove(&l->link);
}

/* bell_ring - wake all who listen */
void
bell_ring(struct bell *b)
{
	b->rings++;
	LIST_EACH(&b->listeners, i)
		signal_set(&CONTAINER_OF(i, struct bell_listener, link)->rung);
}
