/* SPDX-License-Identifier: ISC */
/*
 * slot_pool: qmgr's book of slots: which are free, leased to which cleanup,
 * used, or out of service; and how many there should be. Pure bookkeeping in
 * memory: slot.h makes the files, qstate.h remembers what must last.
 *
 * A slot goes FREE -> LEASED -> USED -> FREE. The last step is taken by the
 * caller when three things hold: the state has the finish, durably; no agent
 * has the message's channel any more; nobody reads the slot. The slot that was
 * freed last is leased first, because its pages are in memory.
 */
#ifndef LIBGLOBAL_SLOT_POOL_H
#define LIBGLOBAL_SLOT_POOL_H

#include "libglobal/qformat.h"

struct slot_pool;

enum slot_pool_state {
	SLOT_POOL_MISSING,	/* no file of that number */
	SLOT_POOL_FREE,
	SLOT_POOL_LEASED,	/* a cleanup may write into it */
	SLOT_POOL_USED,		/* it holds a message */
	SLOT_POOL_ASIDE,	/* retired or damaged: the admin's turn */
};

struct slot_lease {
	struct slot_ref	ref;
	uint64_t	generation;	/* to be written into the header */
};

struct slot_pool_policy {
	uint32_t	keep;		/* never fewer than this */
	uint32_t	free_low;	/* grow when fewer are free */
	uint32_t	step;		/* grow and shrink by so many */
	uint32_t	max;		/* never more than this */
};

struct slot_pool_counts {
	uint32_t	free, leased, used, aside;
};

struct slot_pool	*slot_pool_new(const struct slot_pool_policy
			    policy[SLOT_CLASSES]);
void	slot_pool_free(struct slot_pool *p);

/* what start-up found, or slot_grow made: a slot in any state. generation is
 * what recovery said (recover_item), 0 for one just made. */
void	slot_pool_add(struct slot_pool *p, struct slot_ref ref,
	    enum slot_pool_state state, uint64_t generation);
/* the file is gone */
void	slot_pool_remove(struct slot_pool *p, struct slot_ref ref);
enum slot_pool_state	slot_pool_state(const struct slot_pool *p,
			    struct slot_ref ref);
void	slot_pool_count(const struct slot_pool *p, uint8_t class,
	    struct slot_pool_counts *ret_counts);

/* lease a free slot to that owner (a number of the caller's, not 0);
 * -EAGAIN: none is free */
MUST_USE int	slot_pool_lease(struct slot_pool *p, uint8_t class,
		    uint32_t owner, struct slot_lease *ret_lease);
/* qmgr started again and a cleanup says that it holds this one: lease a free
 * slot that is named; -EINVAL if it is not free */
MUST_USE int	slot_pool_lease_again(struct slot_pool *p, struct slot_ref ref,
		    uint32_t owner);
/* the next slot leased to an owner, for when its process has ended; begin
 * with a zeroed place; false at the end */
struct slot_pool_walk {
	uint8_t		class;
	uint32_t	number;
};
bool	slot_pool_next_leased(const struct slot_pool *p, uint32_t owner,
	    struct slot_pool_walk *w, struct slot_lease *ret_lease);

/* Each of these returns -EINVAL, changing nothing, if the slot is not in the
 * state (or not leased to the owner) that the step begins in: the other
 * process said something untrue. */
/* the lease comes back unused */
MUST_USE int	slot_pool_return(struct slot_pool *p, struct slot_ref ref,
		    uint32_t owner);
/* a message was committed into it */
MUST_USE int	slot_pool_use(struct slot_pool *p, struct slot_ref ref,
		    uint32_t owner);
/* a message of that generation was committed into it by one whose lease was
 * given to another meanwhile, or forgotten: whatever the slot is doing now it
 * is used. -EALREADY: that use of it is known. */
MUST_USE int	slot_pool_claim(struct slot_pool *p, struct slot_ref ref,
		    uint64_t generation);
/* leased, to whomever, free, or a file that is new to us: lease it to that
 * owner; -EINVAL if it is used, out of service, or none */
MUST_USE int	slot_pool_move(struct slot_pool *p, struct slot_ref ref,
		    uint32_t owner);
/* the generation of its last use that is known */
uint64_t	slot_pool_generation(const struct slot_pool *p,
		    struct slot_ref ref);
/* is it leased to that owner? */
bool	slot_pool_is_leased(const struct slot_pool *p, struct slot_ref ref,
	    uint32_t owner);
/* leased or used: out of service */
MUST_USE int	slot_pool_set_aside(struct slot_pool *p, struct slot_ref ref);
/* used: free for the next message */
MUST_USE int	slot_pool_release(struct slot_pool *p, struct slot_ref ref);

/* the numbers to make now, at most max of them; 0: enough are free */
size_t	slot_pool_want_growth(const struct slot_pool *p, uint8_t class,
	    uint32_t *ret_numbers, size_t max);
/* the free ones to remove in a quiet hour; they are no longer free (MISSING)
 * from now on, so the caller must unlink them or slot_pool_add them again */
size_t	slot_pool_take_surplus(struct slot_pool *p, uint8_t class,
	    uint32_t *ret_numbers, size_t max);

#endif
