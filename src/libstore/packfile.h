/* SPDX-License-Identifier: ISC */
/*
 * packfile: the files of pack/ by number, pack/NNNNNNNN.pk. For backends that
 * keep packs in the account's folder.
 */
#ifndef LIBSTORE_PACKFILE_H
#define LIBSTORE_PACKFILE_H

#include "libutil/slice.h"

/* dir is a descriptor of the account's folder */
MUST_USE int	packfile_write(int dir, uint32_t pack, uint64_t offset,
		    struct slice bytes);
/* the file, and pack/ too: 2 flushes */
MUST_USE int	packfile_sync(int dir, uint32_t pack);
MUST_USE int	packfile_read(int dir, uint32_t pack, uint64_t offset,
		    void *bytes, size_t len);
MUST_USE int	packfile_size(int dir, uint32_t pack, uint64_t *ret_size);
MUST_USE int	packfile_remove(int dir, uint32_t pack);
MUST_USE int	packfile_next(int dir, uint32_t from, uint32_t *ret_pack);

#endif
