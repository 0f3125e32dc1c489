/* SPDX-License-Identifier: ISC */
/*
 * crc32c: the Castagnoli checksum (RFC 3720 appendix B.4) of what goes to
 * disk: queue slots, store values, packs. It finds damage, not forgery.
 */
#ifndef LIBUTIL_CRC32C_H
#define LIBUTIL_CRC32C_H

#include "libutil/slice.h"

/* the checksum of the bytes */
uint32_t	crc32c(struct slice bytes);
/* go on: the checksum of what gave crc, followed by these bytes. Begin with
 * crc 0, so crc32c(x) == crc32c_add(0, x) */
uint32_t	crc32c_add(uint32_t crc, struct slice bytes);
/* the same without the processor's instruction, for tests and other machines */
uint32_t	crc32c_add_portable(uint32_t crc, struct slice bytes);

#endif
