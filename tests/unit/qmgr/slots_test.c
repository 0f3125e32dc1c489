/* SPDX-License-Identifier: ISC */
/* Cleanups that hold the same slots, or have written what nobody heard of. */
#include "qmgr_world.h"

#define ONE	S("4jXQmP4xsMzw01j")
#define TWO	S("4jXQmP4xsMzw02j")

static const struct msg_queue_hello nothing;

/* a lease that qmgr, which is new, has given to somebody else */
static int
leased_twice(struct task *t, struct world *w, struct cleaner *other,
    struct msg_slot_lease *ret)
{
	struct msg_queue_welcome *welcome;
	struct arena		  a = ARENA_INIT;
	int			  r;

	if ((r = cleaner_open(t, w, 8, other, &nothing, &a, &welcome)) == 0)
		r = cleaner_lease(t, other, ret);
	arena_free(&a);
	return r;
}

/* it says that it holds it, and is told that it does not */
static int
refused(struct task *t, struct world *w)
{
	struct cleaner		 away, other;
	struct msg_slot_lease	 l;
	struct msg_slot_ref	 held[2] = { { 0, 0 }, { 0, 0 } };
	struct msg_queue_hello	 hello = { .held = { held, 2 } };
	struct msg_queue_welcome *welcome;
	struct arena		 a = ARENA_INIT;
	int			 r;

	if ((r = leased_twice(t, w, &other, &l)) < 0)
		return r;
	/* one that is its own again, and the other's */
	held[0].number = l.number == 5 ? 6 : 5;
	held[1].number = l.number;
	slot_pool_add(w->q.pool, (struct slot_ref){ 0, held[0].number },
	    SLOT_POOL_FREE, 0);
	r = cleaner_open(t, w, 7, &away, &hello, &a, &welcome);
	if (r == 0) {
		CHECK_INT(welcome->refused.n, 1, 0);
		CHECK_INT(welcome->refused.v[0].number, l.number, 0);
	}
	world_close(t, &away.c);
	world_close(t, &other.c);
	arena_free(&a);
	return r;
}

TEST(hello_is_told_what_is_refused)
{
	struct world w = { .delay = 1 };

	world_run(&w, refused);
}

enum news { TOLD, TOLD_LATER, HELLO, FOUND };

/* one that was away writes into the slot of another, who comes second; all get
 * to know of its message */
static int
faster(struct task *t, struct world *w)
{
	const enum news		*how = w->row;
	struct cleaner		 away, other;
	struct msg_slot_lease	 l, next;
	struct msg_queue_hello	 hello = { .told = { &l, 1 } };
	struct msg_slot_ref	 ref;
	struct msg_queue_return	 stale = { { &ref, 1 }, .stale = true };
	struct msg_queue_welcome *welcome;
	struct arena		 a = ARENA_INIT;
	int			 r;

	memset(&away, 0, sizeof(away));
	away.c.io.fd = -1;
	if ((r = leased_twice(t, w, &other, &l)) < 0)
		return r;
	CHECK_INT(cleaner_write(ONE, "a@x", &l), 0, *how);
	CHECK_INT(cleaner_write(TWO, "b@x", &l), -ESTALE, *how);
	if (*how != FOUND)
		r = cleaner_open(t, w, 7, &away, *how == HELLO ? &hello :
		    &nothing, &a, &welcome);
	if (r == 0 && *how == TOLD)
		r = cleaner_tell(t, &away, ONE, "a@x", &l);
	if (r == 0 && *how != FOUND && (r = task_sleep(t, 100)) == 0 &&
	    *how != TOLD_LATER)
		CHECK_TEXT(buf_slice(&w->asked), "a@x ", *how);
	/* the other one finds it so, and takes the next slot */
	ref = (struct msg_slot_ref){ l.size_class, l.number };
	if (r == 0)
		r = ipc_send(t, &other.c, &msg_queue_return_desc, &stale);
	if (r == 0 && (r = cleaner_lease(t, &other, &next)) == 0) {
		CHECK_INT(cleaner_write(TWO, "b@x", &next), 0, *how);
		r = cleaner_tell(t, &other, TWO, "b@x", &next);
	}
	if (r == 0)
		r = task_sleep(t, 2000);
	/* news that is none any more */
	if (r == 0 && *how == TOLD_LATER)
		r = cleaner_tell(t, &away, ONE, "a@x", &l);
	if (r == 0)
		r = task_sleep(t, 1000);
	CHECK(ipc_is_open(&other.c), *how);
	CHECK(*how == FOUND || ipc_is_open(&away.c), *how);
	CHECK(slice_find_slice(buf_slice(&w->asked), S("a@x ")) != SLICE_NONE,
	    *how);
	CHECK(slice_find_slice(buf_slice(&w->asked), S("b@x ")) != SLICE_NONE,
	    *how);
	CHECK_INT(w->asked.len, 8, *how);
	CHECK_TEXT(slice_of(world_where(w, ONE)), "nowhere", *how);
	CHECK_TEXT(slice_of(world_where(w, TWO)), "nowhere", *how);
	world_close(t, &away.c);
	world_close(t, &other.c);
	arena_free(&a);
	return r;
}

TEST(who_writes_first_has_the_slot)
{
	for (enum news how = TOLD; how <= FOUND; how++) {
		struct world w = { .delay = 1, .row = &how };

		world_run(&w, faster);
	}
}
