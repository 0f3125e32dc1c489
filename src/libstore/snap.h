/* SPDX-License-Identifier: ISC */
/*
 * snap: dumps of an account's metadata in its snap/ folder, from which the
 * account is rebuilt if meta.mdb is lost (then store_salvage adds what packs
 * know beyond the dump), and which a backup copies.
 */
#ifndef LIBSTORE_SNAP_H
#define LIBSTORE_SNAP_H

#include "libstore/account.h"

/* write a dump of all records but bodies inside the environment and caches;
 * older dumps but one are removed. -EOPNOTSUPP without a folder */
MUST_USE int	snap_write(struct account *a);
/* the time of the newest dump; -ENOENT */
MUST_USE int	snap_time(struct account *a, int64_t *ret_time);
/* make a new meta.mdb in that folder from its newest readable dump. -EEXIST
 * if there is a meta.mdb (move it away first), -ENOENT no dump, -EBUSY the
 * account is open */
MUST_USE int	snap_restore(const char *folder, uint64_t map_size);

#endif
