/* SPDX-License-Identifier: ISC */
/*
 * Large bodies are files of ours, named by their hash in big/, with a second
 * name in the folder of each account that has them. An account can read and
 * unlink its own name, and change nothing. So a file with one name left is
 * garbage, also after a crash between the two steps.
 *
 * Writing and hashing run side by side; naming takes turns, so that no body
 * is swept between its first and its second name.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libtask/io.h"
#include "libtask/loop.h"
#include "libtask/memfile.h"
#include "libutil/alloc.h"
#include "libutil/hex.h"
#include "stored/stored.h"
#include "stored/stored_events.h"

#define BODY_MODE	0440
#define PIECE		((size_t)65536)
#define SWEEP_EVERY	3600000		/* ms */
#define SWEEP_AGE	3600		/* s: nothing younger is garbage */
#define NAME_MAX_LEN	96

struct big_job {
	const struct msg_account_big *m;
	char		temporary[NAME_MAX_LEN];
	char		shared[NAME_MAX_LEN];	/* big/HASH */
	char		own[NAME_MAX_LEN];	/* shard/account/big/HASH */
	const char	*account;
	unsigned char	hash[32];
};

/* big_init - with nothing going on */
void
big_init(struct big_store *b, struct loop *l)
{
	work_lane_init(&b->lane, 1);
	loop_random(l, &b->run, sizeof(b->run));
}

/* --- keeping */

/* copy - content to the temporary file, hashed on the way */
static int
copy(const struct msg_account_big *m, int out, EVP_MD_CTX *ctx)
{
	char		*piece = xmalloc(PIECE);
	uint64_t	 left = m->length, at = m->offset;
	int		 r = 0;

	while (r == 0 && left > 0) {
		size_t	n = left < PIECE ? (size_t)left : PIECE;
		ssize_t	put = 0;

		if ((r = memfile_pread(m->content, at, piece, n)) < 0)
			break;
		for (size_t done = 0; r == 0 && done < n; done += (size_t)put)
			if ((put = write(out, piece + done, n - done)) < 0)
				r = -errno;
		if (r == 0 && !EVP_DigestUpdate(ctx, piece, n))
			r = -ENOMEM;
		at += n;
		left -= n;
	}
	free(piece);
	return r;
}

/* write_body - a work item: a temporary file, durable, and its hash */
static int
write_body(void *arg)
{
	struct big_job		*j = arg;
	EVP_MD_CTX		*ctx = EVP_MD_CTX_new();
	enum memfile_kind	kind;
	uint64_t		size;
	int			fd = -1, r;

	r = memfile_check(j->m->content, UINT64_MAX, &kind, &size);
	if (r == 0 && (j->m->offset > size ||
	    j->m->length > size - j->m->offset))
		r = -EBADMSG;
	if (r == 0 && (ctx == NULL ||
	    !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL)))
		r = -ENOMEM;
	if (r == 0 && (fd = open(j->temporary, O_WRONLY | O_CREAT | O_EXCL |
	    O_CLOEXEC, BODY_MODE)) < 0)
		r = -errno;
	if (r == 0)
		r = copy(j->m, fd, ctx);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && !EVP_DigestFinal_ex(ctx, j->hash, NULL))
		r = -ENOMEM;
	fd_close(&fd);
	EVP_MD_CTX_free(ctx);
	return r;
}

/* sync_folder - make what was made in it durable */
static int
sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	if (fd < 0 || fsync(fd) < 0)
		r = -errno;
	fd_close(&fd);
	return r;
}

/* add_name - a further name of a file; there already is as good */
static int
add_name(const char *from, const char *to)
{
	return link(from, to) == 0 || errno == EEXIST ? 0 : -errno;
}

/* name_body - a work item: its two names, durable */
static int
name_body(void *arg)
{
	struct big_job	*j = arg;
	struct buf	 hex = BUF_INIT;
	char		 folder[NAME_MAX_LEN];
	int		 r;

	hex_encode(&hex, slice_over(j->hash, sizeof(j->hash)));
	(void)snprintf(j->shared, sizeof(j->shared), "big/%s", buf_cstr(&hex));
	(void)snprintf(folder, sizeof(folder), "%.2s/%s/big", j->account,
	    j->account);
	(void)snprintf(j->own, sizeof(j->own), "%.2s/%.16s/big/%.64s",
	    j->account, j->account, buf_cstr(&hex));
	buf_free(&hex);
	if ((r = add_name(j->temporary, j->shared)) < 0 ||
	    (r = sync_folder("big")) < 0 ||
	    (r = add_name(j->shared, j->own)) < 0)
		return r;
	return sync_folder(folder);
}

/* big_keep - write it, then name it */
int
big_keep(struct task *t, struct account_entry *e,
    const struct msg_account_big *m, unsigned char ret_hash[32])
{
	struct big_store *b = e->stored->big;
	struct big_job	 j = { .m = m, .account = e->id };
	int		 r;

	(void)snprintf(j.temporary, sizeof(j.temporary),
	    "big/%016" PRIx64 "-%" PRIu64 ".tmp", b->run, b->count++);
	if ((r = work_run(t, write_body, &j)) == 0)
		r = work_run_in(t, &b->lane, name_body, &j);
	(void)unlink(j.temporary);	/* else it is swept */
	if (r == 0)
		memcpy(ret_hash, j.hash, sizeof(j.hash));
	return r;
}

/* --- sweeping */

/* is_garbage - a body that no account has, or a temporary file left over */
static bool
is_garbage(int folder, const char *name, int64_t now)
{
	struct stat st;

	if (name[0] == '.' ||
	    fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	/* a new name, or one less, changes the inode */
	if (!S_ISREG(st.st_mode) || now - st.st_ctime < SWEEP_AGE)
		return false;
	return st.st_nlink == 1 ||
	    slice_has_suffix(slice_of(name), S(".tmp"));
}

/* sweep - a work item: look at each file once */
static int
sweep(void *arg)
{
	struct timespec	 now;
	struct dirent	*e;
	DIR		*d = opendir("big");
	int		 r = 0;

	(void)arg;
	if (d == NULL)
		return errno == ENOENT ? 0 : -errno;
	(void)clock_gettime(CLOCK_REALTIME, &now);	/* cannot fail */
	while ((e = readdir(d)) != NULL)
		if (is_garbage(dirfd(d), e->d_name, now.tv_sec) &&
		    unlinkat(dirfd(d), e->d_name, 0) < 0)
			r = -errno;
	(void)closedir(d);
	return r;
}

/* big_sweep_task - at the start, and every hour */
int
big_sweep_task(struct task *t, void *arg)
{
	struct stored	*s = arg;
	int		 r;

	do {
		r = work_run_in(t, &s->big->lane, sweep, NULL);
		if (r < 0 && r != -ECANCELED)
			log_event(daemon_log(s->daemon), EV_STORED_SWEEP,
			    KV_ERR("why", r));
	} while (r != -ECANCELED && (r = task_sleep(t, SWEEP_EVERY)) == 0);
	return r;
}
