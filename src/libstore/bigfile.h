/* SPDX-License-Identifier: ISC */
/*
 * bigfile: big bodies as files big/<hash> in the account's own folder, for
 * accounts whose opener names no other place. Used inside libstore only.
 */
#ifndef LIBSTORE_BIGFILE_H
#define LIBSTORE_BIGFILE_H

#include "libstore/account_impl.h"

/* make the account keep its big bodies so */
void	bigfile_use(struct account *a);
/* remove files that no record names and that are not new: what a crash
 * between a file and its records left. No-op for accounts kept otherwise. */
MUST_USE int	bigfile_sweep(struct account *a);

#endif
