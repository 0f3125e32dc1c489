/* SPDX-License-Identifier: ISC */
/* account_impl: the inside of struct account, for libstore's own files. */
#ifndef LIBSTORE_ACCOUNT_IMPL_H
#define LIBSTORE_ACCOUNT_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "libstore/account.h"

struct account {
	struct backend		*backend;
	int			 dir;		/* the folder, locked; or -1 */
	struct account_params	 p;		/* with defaults filled in */
	char			*id;
	atomic_uint_fast64_t	 modseq;	/* of the newest commit */
	atomic_uint_fast32_t	 day;		/* of the newest DAY record */
	atomic_bool		 big_swept;
	pthread_mutex_t		 lock;		/* for quota */
	struct account_quota	 quota;
	/* from putting a big body until its records are committed, and while
	 * one is dropped; taken before the backend's writer lock */
	pthread_mutex_t		 big_lock;
};

/* account_now - seconds since 1970, by the account's clock */
static inline int64_t
account_now(const struct account *a)
{
	return a->p.now(a->p.arg);
}

#endif
