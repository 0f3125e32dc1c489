/* SPDX-License-Identifier: ISC */
/* verify_impl: what the files of verify share. */
#ifndef LIBSTORE_VERIFY_IMPL_H
#define LIBSTORE_VERIFY_IMPL_H

#include "libstore/index.h"
#include "libstore/verify.h"

struct verify {
	struct account		*account;
	struct txn		*t;		/* one read transaction */
	struct account_record	 rec;
	verify_report		*report;
	void			*arg;
	struct verify_result	 result;
	/* the body of each email, then sorted */
	uint64_t		*body;
	size_t			 body_count, body_cap;
	uint64_t		 used_bytes;
	uint64_t		 unpacked;
	size_t			 count;		/* of verify_count */
};

/* report a finding */
void	verify_find(struct verify *v, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));
/* an email's record, lent from the transaction */
MUST_USE int	verify_email(struct verify *v, uint64_t id,
		    struct email_record *ret_record);
/* call one for each record of a key space; a record that cannot be read was
 * reported before and is passed over. Ends at the first error. */
typedef int	verify_one(struct verify *v, struct slice key,
		    struct slice value);
MUST_USE int	verify_each(struct verify *v, const struct key *prefix,
		    verify_one *one);
/* number of records with that prefix */
MUST_USE int	verify_count(struct verify *v, const struct key *prefix,
		    size_t *ret_count);
/* mailboxes with all in them */
MUST_USE int	verify_mailboxes(struct verify *v);
/* bodies, chunks, packs, big files' counts */
MUST_USE int	verify_bodies(struct verify *v);

#endif
