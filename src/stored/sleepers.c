/* SPDX-License-Identifier: ISC */
/*
 * Sessions by handle. A handle is 32 random bytes, known to one front, one
 * account and us. It is made when the session begins; when the session goes
 * to sleep its account gives us its state, and whoever brings the handle on
 * that front gets it back.
 */
#include <stdlib.h>

#include "libglobal/ipc_store.h"
#include "libtask/loop.h"
#include "libutil/alloc.h"
#include "stored/stored.h"

/* sleeper_new - a session begins */
struct sleeper *
sleeper_new(struct store_caller *front, struct account_entry *e,
    struct loop *l)
{
	struct sleeper *s = NEW(struct sleeper);

	s->entry = e;
	s->front = front;
	loop_random(l, s->handle, sizeof(s->handle));
	list_add_tail(&e->sleepers, &s->of_account);
	list_add_tail(&front->sleepers, &s->of_front);
	(void)hash_put(&e->stored->sleepers, slice_over(s->handle, HANDLE_LEN),
	    s);		/* no other has these random bytes */
	return s;
}

/* set_given - is it on its way to its process? */
static void
set_given(struct sleeper *s, bool given)
{
	struct account_entry *e = s->entry;

	if (s->given == given)
		return;
	s->given = given;
	if (given)
		e->given++;
	else if (--e->given == GIVEN_RESUMED)
		wait_wake(&e->waiters);
}

/* sleeper_free - its handle is void from now on */
void
sleeper_free(struct sleeper *s)
{
	(void)hash_remove(&s->entry->stored->sleepers,
	    slice_over(s->handle, HANDLE_LEN));
	set_given(s, false);
	list_remove(&s->of_account);
	list_remove(&s->of_front);
	arena_free(&s->arena);
	free(s);
}

/* sleeper_find - by handle, on the front that it was made for */
struct sleeper *
sleeper_find(struct store_caller *front, struct slice handle)
{
	struct sleeper *s = hash_get(&front->stored->sleepers, handle);

	return s != NULL && s->front == front ? s : NULL;
}

/* of_account - by handle, of that account; NULL if it was handed over again
 * since. A front that has waited for too long comes again while its process,
 * which was only slow, still has what it was given first. */
static struct sleeper *
of_account(struct account_entry *e, struct slice handle, uint64_t handover)
{
	struct sleeper *s = hash_get(&e->stored->sleepers, handle);

	return s != NULL && s->entry == e && s->handover == handover ? s :
	    NULL;
}

/* sleeper_keep - it sleeps now */
void
sleeper_keep(struct account_entry *e, const struct msg_account_frozen *m)
{
	struct sleeper *s = of_account(e, m->handle, m->handover);

	if (s == NULL)
		return;			/* its front has gone meanwhile */
	arena_reset(&s->arena);
	s->protocol = arena_dup(&s->arena, m->protocol);
	s->login = arena_dup(&s->arena, m->login);
	s->session = arena_dup(&s->arena, m->session);
	s->client_address = arena_dup(&s->arena, m->client_address);
	s->state = arena_dup(&s->arena, m->state);
	s->greeting = SLICE_EMPTY;
	s->asleep = true;
	set_given(s, false);
	s->idling = m->idling;
	s->woken = false;
}

/* sleeper_is_here - asleep, or not begun where it was given to */
bool
sleeper_is_here(const struct sleeper *s)
{
	return s->asleep || s->given;
}

/* sleeper_give - what is kept of it is still needed if that process ends
 * before it looks */
void
sleeper_give(struct sleeper *s)
{
	s->asleep = false;
	set_given(s, true);
}

/* sleeper_begun - it runs: only its process knows it now */
void
sleeper_begun(struct account_entry *e, const struct msg_account_begun *m)
{
	struct sleeper *s = of_account(e, m->handle, m->handover);

	if (s == NULL || !s->given)
		return;
	set_given(s, false);
	arena_free(&s->arena);
	s->state = s->greeting = SLICE_EMPTY;
}

/* sleeper_over - it ended without sleeping */
void
sleeper_over(struct account_entry *e, const struct msg_account_over *m)
{
	struct sleeper *s = of_account(e, m->handle, m->handover);

	if (s != NULL && !s->asleep)
		sleeper_free(s);
}

/* wake - tell the front of a session to resume it */
static bool
wake(struct sleeper *s)
{
	struct msg_store_wake m = { slice_over(s->handle, HANDLE_LEN) };

	return ipc_post(&s->front->conn, &msg_store_wake_desc, &m) == 0;
}

/* sleepers_wake - something changed in the account: those who wait to be told
 * of it come back */
void
sleepers_wake(struct account_entry *e)
{
	LIST_EACH(&e->sleepers, link) {
		struct sleeper *s = CONTAINER_OF(link, struct sleeper,
		    of_account);

		if (s->asleep && s->idling && !s->woken)
			s->woken = wake(s);
	}
}

/* sleepers_drop - of an account whose process ended, or whose sessions are
 * void */
void
sleepers_drop(struct account_entry *e, bool all)
{
	LIST_EACH_SAFE(&e->sleepers, link) {
		struct sleeper *s = CONTAINER_OF(link, struct sleeper,
		    of_account);

		if (!all && s->asleep)
			continue;
		/* its front has noticed, too, and comes for it */
		if (!all && s->given) {
			set_given(s, false);
			s->asleep = s->woken = true;
			continue;
		}
		/* its front finds out that the handle is void, and tells the
		 * client, which would wait for mail in vain */
		ignore(wake(s));
		sleeper_free(s);
	}
}

/* sleepers_drop_front - a front has ended, and its clients with it */
void
sleepers_drop_front(struct store_caller *front)
{
	LIST_EACH_SAFE(&front->sleepers, link)
		sleeper_free(CONTAINER_OF(link, struct sleeper, of_front));
}
