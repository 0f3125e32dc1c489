/* SPDX-License-Identifier: ISC */
/*
 * lmdb_file: the birth of an LMDB environment. LMDB writes the first pages of
 * a new file without flushing them, so a power cut soon after could leave a
 * name with half of them behind it, which is no environment and never becomes
 * one. For the few who make environments: the store, the queue's state, the
 * accounts database.
 */
#ifndef LIBGLOBAL_LMDB_FILE_H
#define LIBGLOBAL_LMDB_FILE_H

#include <sys/types.h>

#include "libutil/size.h"

/* have an empty environment at path (a file, as MDB_NOSUBDIR means it) if
 * nothing is there: the name has the whole of it or is not there. `path`.new
 * is used on the way. The caller flushes the folder. Blocks. */
MUST_USE int	lmdb_file_make(const char *path, mode_t mode);

#endif
