/* SPDX-License-Identifier: ISC */
/*
 * verify: prove that an account's records agree with each other and with its
 * packs, and bring back mail that they do not know. `barid store verify` and
 * the crash tests use it.
 */
#ifndef LIBSTORE_VERIFY_H
#define LIBSTORE_VERIFY_H

#include "libstore/account.h"

enum verify_how {
	VERIFY_RECORDS	= 0,
	VERIFY_BODIES	= 1,	/* also read every body and check its hash */
};

/* what was found, one call a finding; text is lent */
typedef void	verify_report(void *arg, const char *text);

struct verify_result {
	uint64_t	findings;	/* 0: all is well */
	uint64_t	mailboxes;
	uint64_t	messages;	/* places in mailboxes */
	uint64_t	emails;
	uint64_t	bodies;
	uint64_t	body_bytes;	/* read, with VERIFY_BODIES */
};

/* checks the account as of now; changes nothing. 0 even with findings. */
MUST_USE int	store_verify(struct account *a, unsigned how,
		    verify_report *report, void *arg,
		    struct verify_result *ret_result);

struct salvage_result {
	uint64_t	records;	/* read in packs */
	uint64_t	damaged;	/* stretches that are no record */
	uint64_t	recovered;	/* brought back */
};

/* find pack records of mail that the metadata does not know (it was lost or
 * is older than the packs) or knows but cannot read, and put that mail into
 * the mailbox Recovered */
MUST_USE int	store_salvage(struct account *a, verify_report *report,
		    void *arg, struct salvage_result *ret_result);

#endif
