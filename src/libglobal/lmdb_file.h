/* SPDX-License-Identifier: ISC */
/*
 * lmdb_file: LMDB for the queue's state and the accounts database: its errors,
 * its values, and the birth of an environment, the store's too. LMDB writes the first pages of
 * a new file without flushing them, so a power cut soon after could leave a
 * name with half of them behind it, which is no environment and never becomes
 * one.
 */
#ifndef LIBGLOBAL_LMDB_FILE_H
#define LIBGLOBAL_LMDB_FILE_H

#include <lmdb.h>
#include <sys/types.h>

#include "libutil/size.h"
#include "libutil/slice.h"

/* have an empty environment at path (a file, as MDB_NOSUBDIR means it) if
 * nothing is there: the name has the whole of it or is not there. `path`.new
 * is used on the way. The caller flushes the folder. Blocks. */
MUST_USE int	lmdb_file_make(const char *path, mode_t mode);

/* is the file at path, if there is one, long enough to be an environment? LMDB
 * takes one of no length for new and would begin anew in it. -EUCLEAN */
MUST_USE int	lmdb_file_check(const char *path);

/* Is the file of an open environment as long as its pages need? Where one that
 * was cut off is read behind its end, that is a fault, not an error: to be asked
 * before each transaction of a file that others can write to. -EUCLEAN */
MUST_USE int	lmdb_file_whole(MDB_env *env);

/* What mdb_txn_commit returned, as a negative errno, or 0. LMDB says EIO, too,
 * where a write was cut short because there was no more room: that is -ENOSPC,
 * nothing has changed, and a later commit may succeed. Blocks. */
MUST_USE int	lmdb_file_committed(MDB_env *env, int e);
/* the same of a write in a transaction that goes on: a commit cannot be asked
 * about while one is open */
MUST_USE int	lmdb_file_written(MDB_env *env, int e);

/* a result of LMDB as a negative errno, or 0. -ENOTRECOVERABLE: the disk failed
 * and the environment has to be opened anew */
MUST_USE int	lmdb_errno(int e);
/* bytes as LMDB wants them; lent */
MDB_val	lmdb_val(struct slice s);

#endif
