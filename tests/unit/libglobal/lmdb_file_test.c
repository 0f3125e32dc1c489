/* SPDX-License-Identifier: ISC */
/* What a failed commit was, asked of a file that others write to as well. */
#include "test.h"

#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <unistd.h>

#include "libglobal/lmdb_file.h"

/* another thread that writes, from its begin to its end */
struct writer {
	MDB_env			*env;
	pthread_barrier_t	 begun;
	bool			 over;
};

static void *
writer_main(void *arg)
{
	struct writer	*w = arg;
	MDB_txn		*txn;

	CHECK_INT(mdb_txn_begin(w->env, NULL, 0, &txn), 0, 0);
	(void)pthread_barrier_wait(&w->begun);
	(void)usleep(100000);
	w->over = true;
	mdb_txn_abort(txn);
	return NULL;
}

static MDB_env *
env_new(void)
{
	MDB_env	*env;
	char	 path[400];

	(void)snprintf(path, sizeof(path), "%s/db", test_tmpdir());
	CHECK_INT(lmdb_file_make(path, 0600), 0, 0);
	CHECK_INT(mdb_env_create(&env), 0, 0);
	CHECK_INT(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOTLS, 0600), 0,
	    0);
	return env;
}

TEST(room_is_looked_for_while_nobody_writes)
{
	struct writer	w = { .env = env_new() };
	pthread_t	thread;

	CHECK_INT(pthread_barrier_init(&w.begun, NULL, 2), 0, 0);
	CHECK_INT(pthread_create(&thread, NULL, writer_main, &w), 0, 0);
	(void)pthread_barrier_wait(&w.begun);
	CHECK_INT(lmdb_file_committed(w.env, EIO), -EIO, 0);
	CHECK(w.over, 0);
	CHECK_INT(pthread_join(thread, NULL), 0, 0);
	CHECK_INT(pthread_barrier_destroy(&w.begun), 0, 0);
	mdb_env_close(w.env);
}

TEST(room_is_looked_for_in_a_transaction)
{
	MDB_env	*env = env_new();
	MDB_txn	*txn;

	CHECK_INT(mdb_txn_begin(env, NULL, 0, &txn), 0, 0);
	CHECK_INT(lmdb_file_written(env, EIO), -EIO, 0);
	CHECK_INT(lmdb_file_written(env, EDQUOT), -ENOSPC, 0);
	mdb_txn_abort(txn);
	mdb_env_close(env);
}
