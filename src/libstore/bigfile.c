/* SPDX-License-Identifier: ISC */
/* A file is written under another name, flushed, and renamed to its hash. */
#include "libstore/bigfile.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libstore/fileio.h"
#include "libstore/keys.h"
#include "libutil/hex.h"

#define SWEEP_AGE	3600	/* seconds: nothing younger is taken away */

/* bigfile_name - the hash in hexadecimal, with folder */
static void
bigfile_name(struct buf *out, const char *folder, const uint8_t *hash)
{
	buf_add_text(out, folder);
	hex_encode(out, slice_over(hash, BODY_HASH_LEN));
}

/* bigfile_put - durable under its hash; a file that is there is the same */
static int
bigfile_put(void *arg, const uint8_t hash[BODY_HASH_LEN], struct slice content)
{
	struct account *a = arg;
	struct buf name = BUF_INIT;
	struct stat st;
	int	r;

	bigfile_name(&name, "big/", hash);
	if (fstatat(a->dir, buf_cstr(&name), &st, 0) == 0 &&
	    (uint64_t)st.st_size == content.len) {
		r = 0;
		goto out;
	}
	if ((r = fileio_make_folder(a->dir, "big")) < 0)
		goto out;
	buf_consume(&name, 4);
	r = fileio_replace(a->dir, "big", buf_cstr(&name), content);
out:
	buf_free(&name);
	return r;
}

/* bigfile_open - read-only */
static int
bigfile_open(void *arg, const uint8_t hash[BODY_HASH_LEN], int *ret_fd)
{
	struct account *a = arg;
	struct buf name = BUF_INIT;
	int	fd;

	bigfile_name(&name, "big/", hash);
	fd = openat(a->dir, buf_cstr(&name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		fd = -errno;
	else
		*ret_fd = fd;
	buf_free(&name);
	return fd < 0 ? fd : 0;
}

/* bigfile_drop - unlink it */
static void
bigfile_drop(void *arg, const uint8_t hash[BODY_HASH_LEN])
{
	struct account *a = arg;
	struct buf name = BUF_INIT;

	bigfile_name(&name, "big/", hash);
	(void)unlinkat(a->dir, buf_cstr(&name), 0);	/* else swept later */
	buf_free(&name);
}

/* bigfile_use - these three */
void
bigfile_use(struct account *a)
{
	a->p.big = (struct account_big){ bigfile_put, bigfile_open,
		bigfile_drop, a };
}

/* bigfile_is_named - does a record name that hash? An error counts as yes */
static bool
bigfile_is_named(struct account *a, struct slice hash)
{
	struct backend_txn *b;
	struct slice value;
	struct key k;
	int	r;

	if (backend_begin(a->backend, false, &b) < 0)
		return true;
	key_begin(&k, KEY_BIG);
	r = key_add_bytes(&k, hash);
	if (r == 0)
		r = backend_get(b, key_slice(&k), &value);
	backend_abort(&b);
	return r != -ENOENT;
}

/* bigfile_is_garbage - an old file that is a temporary or has no record */
static bool
bigfile_is_garbage(struct account *a, int big, const char *name)
{
	struct buf hash = BUF_INIT;
	struct stat st;
	bool	garbage = false;

	if (name[0] == '.' || fstatat(big, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	/* not when it was written: it may be an old file with a new name */
	if (account_now(a) - st.st_ctime < SWEEP_AGE)
		return false;
	if (slice_has_suffix(slice_of(name), S(".tmp")))
		return true;
	if (hex_decode(&hash, slice_of(name)) == 0 &&
	    hash.len == BODY_HASH_LEN)
		garbage = !bigfile_is_named(a, buf_slice(&hash));
	buf_free(&hash);
	return garbage;
}

/* bigfile_sweep - look at each file once */
int
bigfile_sweep(struct account *a)
{
	struct dirent *e;
	DIR	*d;
	int	fd;

	if (a->p.big.drop != bigfile_drop)
		return 0;
	fd = openat(a->dir, "big", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	d = fdopendir(fd);
	if (d == NULL) {
		int r = -errno;

		close(fd);
		return r;
	}
	pthread_mutex_lock(&a->big_lock);
	while ((e = readdir(d)) != NULL)
		if (bigfile_is_garbage(a, dirfd(d), e->d_name))
			(void)unlinkat(dirfd(d), e->d_name, 0);	/* next time */
	pthread_mutex_unlock(&a->big_lock);
	closedir(d);
	return 0;
}
