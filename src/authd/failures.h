/* SPDX-License-Identifier: ISC */
/*
 * failures: failed logins, counted for each client address (an IPv6 client is
 * its /64) and for each user name, known or not; and how long the next try of
 * either must wait. The table is bounded; what failed longest ago is
 * forgotten first. Times are in milliseconds.
 */
#ifndef AUTHD_FAILURES_H
#define AUTHD_FAILURES_H

#include "libutil/hash.h"
#include "libutil/list.h"

#define FAILURES_MAX		20000
/* logins of one address that wait at once: where one has failed within the ttl;
 * and where none has, as with many users behind one address in the morning */
#define FAILURES_WAITING_MAX	20
#define FAILURES_WAITING_CLEAN	250

struct failures {
	struct hash	by_name;
	struct list	recent;		/* oldest first */
	size_t		count;
};

struct failures_rules {
	unsigned	threshold;	/* let pass */
	int64_t		delay;		/* the first; it doubles */
	int64_t		delay_max;
	int64_t		ttl;
};

void	failures_init(struct failures *f);
void	failures_free(struct failures *f);
/* how long must this one wait? */
int64_t	failures_delay(const struct failures *f, const struct failures_rules *r,
	    struct slice client, struct slice login, int64_t now);
/* one more */
void	failures_add(struct failures *f, const struct failures_rules *r,
	    struct slice client, struct slice login, int64_t now);
/* the right password was given */
void	failures_forget_login(struct failures *f, struct slice login);
/* a login of that address begins to wait: false, there are too many. Each
 * begin that was true needs an end. */
bool	failures_wait_begin(struct failures *f,
	    const struct failures_rules *r, struct slice client, int64_t now);
void	failures_wait_end(struct failures *f, struct slice client);

#endif
