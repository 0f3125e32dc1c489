/* SPDX-License-Identifier: ISC */
/*
 * One array a class, indexed by slot number; the free ones are chained through
 * it, the one freed last at the head. Numbers that have no file are holes; new
 * slots fill the lowest holes first, so the arrays stay as long as the pool
 * ever was at most.
 */
#include "libglobal/slot_pool.h"

#include <assert.h>
#include <stdlib.h>

#include "libutil/alloc.h"

#define NONE	UINT32_MAX
#define AHEAD_MAX	4096	/* numbers beyond those that are known */

struct entry {
	uint64_t	generation;	/* of its last use */
	uint32_t	owner;		/* LEASED */
	uint32_t	next;		/* FREE: chain */
	uint32_t	prev;
	uint8_t		state;
};

struct class_pool {
	struct slot_pool_policy	 policy;
	struct slot_pool_counts	 counts;
	struct entry		*entry;
	uint32_t		 len;		/* numbers below it are known */
	uint32_t		 cap;
	uint32_t		 head;		/* of the free chain */
	uint32_t		 hole;		/* no hole is below it */
};

struct slot_pool {
	struct class_pool	class[SLOT_CLASSES];
};

/* slot_pool_new - an empty book */
struct slot_pool *
slot_pool_new(const struct slot_pool_policy policy[SLOT_CLASSES])
{
	struct slot_pool *p = NEW(struct slot_pool);

	for (size_t i = 0; i < SLOT_CLASSES; i++) {
		p->class[i].policy = policy[i];
		p->class[i].head = NONE;
	}
	return p;
}

/* slot_pool_free - release the book */
void
slot_pool_free(struct slot_pool *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < SLOT_CLASSES; i++)
		free(p->class[i].entry);
	free(p);
}

/* entry_of - what is known of a slot, or NULL */
static struct entry *
entry_of(const struct slot_pool *p, struct slot_ref ref)
{
	const struct class_pool *c;

	if (ref.class >= SLOT_CLASSES)
		return NULL;
	c = &p->class[ref.class];
	return ref.number < c->len ? &c->entry[ref.number] : NULL;
}

/* grow_to - know numbers up to that one */
static void
grow_to(struct class_pool *c, uint32_t number)
{
	assert(number <= SLOT_NUMBER_MAX);
	if (number >= c->cap) {
		c->cap = number + 1 > c->cap * 2 ? number + 1 : c->cap * 2;
		c->entry = xreallocarray(c->entry, c->cap,
		    sizeof(c->entry[0]));
	}
	for (; c->len <= number; c->len++)
		c->entry[c->len] = (struct entry){
		    .state = SLOT_POOL_MISSING, .next = NONE, .prev = NONE };
}

/* counter - the count of entries in that state, or NULL for none kept */
static uint32_t *
counter(struct class_pool *c, uint8_t state)
{
	switch (state) {
	case SLOT_POOL_FREE:
		return &c->counts.free;
	case SLOT_POOL_LEASED:
		return &c->counts.leased;
	case SLOT_POOL_USED:
		return &c->counts.used;
	case SLOT_POOL_ASIDE:
		return &c->counts.aside;
	}
	return NULL;
}

/* chain - put a slot at the head of the free ones */
static void
chain(struct class_pool *c, uint32_t number)
{
	struct entry	*e = &c->entry[number];

	e->prev = NONE;
	e->next = c->head;
	if (c->head != NONE)
		c->entry[c->head].prev = number;
	c->head = number;
}

/* unchain - take a slot out of the free ones */
static void
unchain(struct class_pool *c, uint32_t number)
{
	struct entry	*e = &c->entry[number];

	if (e->prev == NONE)
		c->head = e->next;
	else
		c->entry[e->prev].next = e->next;
	if (e->next != NONE)
		c->entry[e->next].prev = e->prev;
}

/* set_state - move a slot from its state to another */
static void
set_state(struct class_pool *c, uint32_t number, enum slot_pool_state state)
{
	struct entry	*e = &c->entry[number];
	uint32_t	*count = counter(c, e->state);

	if (count != NULL)
		--*count;
	if (e->state == SLOT_POOL_FREE)
		unchain(c, number);
	e->state = (uint8_t)state;
	e->owner = 0;
	if ((count = counter(c, e->state)) != NULL)
		++*count;
	if (state == SLOT_POOL_FREE)
		chain(c, number);
	if (state == SLOT_POOL_MISSING && number < c->hole)
		c->hole = number;
}

/* slot_pool_add - a slot that exists */
void
slot_pool_add(struct slot_pool *p, struct slot_ref ref,
    enum slot_pool_state state, uint64_t generation)
{
	struct class_pool	*c;

	assert(ref.class < SLOT_CLASSES);
	c = &p->class[ref.class];
	grow_to(c, ref.number);
	set_state(c, ref.number, state);
	/* a file made anew in the place of one that was removed: the state
	 * still counts on from the uses of that one */
	if (c->entry[ref.number].generation < generation)
		c->entry[ref.number].generation = generation;
	while (c->hole < c->len &&
	    c->entry[c->hole].state != SLOT_POOL_MISSING)
		c->hole++;
}

/* slot_pool_remove - a slot that exists no more */
void
slot_pool_remove(struct slot_pool *p, struct slot_ref ref)
{
	if (entry_of(p, ref) != NULL)
		set_state(&p->class[ref.class], ref.number, SLOT_POOL_MISSING);
}

/* slot_pool_state - what a slot is doing */
enum slot_pool_state
slot_pool_state(const struct slot_pool *p, struct slot_ref ref)
{
	const struct entry *e = entry_of(p, ref);

	return e == NULL ? SLOT_POOL_MISSING : e->state;
}

/* slot_pool_count - how many are doing what */
void
slot_pool_count(const struct slot_pool *p, uint8_t class,
    struct slot_pool_counts *ret_counts)
{
	*ret_counts = class < SLOT_CLASSES ? p->class[class].counts :
	    (struct slot_pool_counts){ 0, 0, 0, 0 };
}

/* slot_pool_lease - lend a free slot to a writer */
int
slot_pool_lease(struct slot_pool *p, uint8_t class, uint32_t owner,
    struct slot_lease *ret_lease)
{
	struct class_pool	*c;
	uint32_t		 number;

	assert(owner != 0);
	if (class >= SLOT_CLASSES)
		return -EINVAL;
	c = &p->class[class];
	if ((number = c->head) == NONE)
		return -EAGAIN;
	set_state(c, number, SLOT_POOL_LEASED);
	c->entry[number].owner = owner;
	*ret_lease = (struct slot_lease){ { class, number },
	    c->entry[number].generation + 1 };
	return 0;
}

/* slot_pool_lease_again - lend a slot that is named */
int
slot_pool_lease_again(struct slot_pool *p, struct slot_ref ref, uint32_t owner)
{
	assert(owner != 0);
	if (slot_pool_state(p, ref) != SLOT_POOL_FREE)
		return -EINVAL;
	set_state(&p->class[ref.class], ref.number, SLOT_POOL_LEASED);
	p->class[ref.class].entry[ref.number].owner = owner;
	return 0;
}

/* slot_pool_next_leased - the next lease of an owner */
bool
slot_pool_next_leased(const struct slot_pool *p, uint32_t owner,
    struct slot_pool_walk *w, struct slot_lease *ret_lease)
{
	const struct class_pool *c;
	const struct entry	*e;

	for (; w->class < SLOT_CLASSES; w->class++, w->number = 0) {
		c = &p->class[w->class];
		while (w->number < c->len) {
			e = &c->entry[w->number++];
			if (e->state != SLOT_POOL_LEASED || e->owner != owner)
				continue;
			*ret_lease = (struct slot_lease){
			    { w->class, w->number - 1 }, e->generation + 1 };
			return true;
		}
	}
	return false;
}

/* slot_pool_is_leased - may that owner give the slot back? */
bool
slot_pool_is_leased(const struct slot_pool *p, struct slot_ref ref, uint32_t owner)
{
	const struct entry *e = entry_of(p, ref);

	return e != NULL && e->state == SLOT_POOL_LEASED && e->owner == owner;
}

/* slot_pool_return - a lease ends unused */
int
slot_pool_return(struct slot_pool *p, struct slot_ref ref, uint32_t owner)
{
	if (!slot_pool_is_leased(p, ref, owner))
		return -EINVAL;
	set_state(&p->class[ref.class], ref.number, SLOT_POOL_FREE);
	return 0;
}

/* slot_pool_use - a lease ends in a message */
int
slot_pool_use(struct slot_pool *p, struct slot_ref ref, uint32_t owner)
{
	if (!slot_pool_is_leased(p, ref, owner))
		return -EINVAL;
	set_state(&p->class[ref.class], ref.number, SLOT_POOL_USED);
	p->class[ref.class].entry[ref.number].generation++;
	return 0;
}

/* can_be - is it known, or one that a process may have made meanwhile? */
static bool
can_be(const struct slot_pool *p, struct slot_ref ref)
{
	return ref.class < SLOT_CLASSES && ref.number <= SLOT_NUMBER_MAX &&
	    ref.number <= p->class[ref.class].len + AHEAD_MAX;
}

/* slot_pool_claim - a message is there, whoever was to write */
int
slot_pool_claim(struct slot_pool *p, struct slot_ref ref, uint64_t generation)
{
	uint64_t last = slot_pool_generation(p, ref);

	if (generation == 0 || !can_be(p, ref))
		return -EINVAL;
	if (generation <= last)
		return -EALREADY;
	if (generation != last + 1 ||
	    slot_pool_state(p, ref) == SLOT_POOL_USED)
		return -EINVAL;
	slot_pool_add(p, ref, SLOT_POOL_USED, generation);
	return 0;
}

/* slot_pool_move - from one owner to another */
int
slot_pool_move(struct slot_pool *p, struct slot_ref ref, uint32_t owner)
{
	enum slot_pool_state state = slot_pool_state(p, ref);

	if (state == SLOT_POOL_USED || state == SLOT_POOL_ASIDE ||
	    !can_be(p, ref))
		return -EINVAL;
	slot_pool_add(p, ref, SLOT_POOL_FREE, 0);
	return slot_pool_lease_again(p, ref, owner);
}

/* slot_pool_generation - of the last use */
uint64_t
slot_pool_generation(const struct slot_pool *p, struct slot_ref ref)
{
	const struct entry *e = entry_of(p, ref);

	return e == NULL ? 0 : e->generation;
}

/* slot_pool_set_aside - take a slot out of service */
int
slot_pool_set_aside(struct slot_pool *p, struct slot_ref ref)
{
	const struct entry *e = entry_of(p, ref);

	if (e == NULL || (e->state != SLOT_POOL_LEASED &&
	    e->state != SLOT_POOL_USED))
		return -EINVAL;
	set_state(&p->class[ref.class], ref.number, SLOT_POOL_ASIDE);
	return 0;
}

/* slot_pool_release - a message is gone */
int
slot_pool_release(struct slot_pool *p, struct slot_ref ref)
{
	const struct entry *e = entry_of(p, ref);

	if (e == NULL || e->state != SLOT_POOL_USED)
		return -EINVAL;
	set_state(&p->class[ref.class], ref.number, SLOT_POOL_FREE);
	return 0;
}

/* slot_pool_want_growth - which slots to make */
size_t
slot_pool_want_growth(const struct slot_pool *p, uint8_t class,
    uint32_t *ret_numbers, size_t max)
{
	const struct class_pool *c = &p->class[class];
	uint32_t		 have, ready, want = 0, n;

	ready = c->counts.free;
	have = ready + c->counts.leased + c->counts.used + c->counts.aside;
	if (have < c->policy.keep)
		want = c->policy.keep - have;
	if (ready < c->policy.free_low && want < c->policy.step)
		want = c->policy.step;
	if (have >= c->policy.max)
		want = 0;
	else if (want > c->policy.max - have)
		want = c->policy.max - have;
	max = size_min(max, want);
	want = 0;
	for (n = c->hole; want < max && n <= SLOT_NUMBER_MAX; n++)
		if (n >= c->len || c->entry[n].state == SLOT_POOL_MISSING)
			ret_numbers[want++] = n;
	return want;
}

/* slot_pool_take_surplus - which slots to remove */
size_t
slot_pool_take_surplus(struct slot_pool *p, uint8_t class,
    uint32_t *ret_numbers, size_t max)
{
	struct class_pool *c = &p->class[class];
	uint32_t	   have, floor, surplus, n;
	size_t		   count = 0;

	have = c->counts.free + c->counts.leased + c->counts.used +
	    c->counts.aside;
	/* shrinking must not make it grow again at once */
	floor = 2 * c->policy.free_low + c->policy.step;
	if (have <= c->policy.keep || c->counts.free <= floor)
		return 0;
	surplus = c->counts.free - floor;
	if (surplus > have - c->policy.keep)
		surplus = have - c->policy.keep;
	if (surplus > c->policy.step)
		surplus = c->policy.step;
	max = size_min(max, surplus);
	for (n = c->len; n-- > 0 && count < max;)
		if (c->entry[n].state == SLOT_POOL_FREE) {
			ret_numbers[count++] = n;
			set_state(c, n, SLOT_POOL_MISSING);
		}
	return count;
}
