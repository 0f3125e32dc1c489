/* SPDX-License-Identifier: ISC */
/*
 * tickets: what a front gets for a login and brings to stored, which has it
 * confirmed here: 32 random bytes, good once, for a short time, and only when
 * brought by the process that they were given to. Times in milliseconds.
 */
#ifndef AUTHD_TICKETS_H
#define AUTHD_TICKETS_H

#include "libutil/hash.h"
#include "libutil/list.h"

#define TICKET_SIZE	32
#define TICKETS_MAX	20000	/* beyond that the oldest goes */

struct tickets {
	struct hash	by_bytes;
	struct list	recent;		/* oldest first */
	size_t		count;
};

void	tickets_init(struct tickets *s);
void	tickets_free(struct tickets *s);
/* a ticket for that account, to be brought by that process */
void	tickets_add(struct tickets *s, const unsigned char bytes[TICKET_SIZE],
	    uint32_t process, struct slice account, int64_t now);
/* void all tickets of an account */
void	tickets_void(struct tickets *s, struct slice account);
/* take it: the account's id. -ENOENT: there is no such ticket, -ETIMEDOUT: it
 * is too old, -EACCES: it is another process's. It is gone afterwards. */
MUST_USE int	tickets_take(struct tickets *s, struct slice bytes,
		    uint32_t process, int64_t now, int64_t ttl,
		    char *ret_account, size_t size);

#endif
