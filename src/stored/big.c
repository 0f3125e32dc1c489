/* SPDX-License-Identifier: ISC */
/*
 * Large bodies are files of ours, named by their hash in big/, with a second
 * name in the folder of each account that has them. An account can read and
 * unlink its own name, and change nothing. So a file with one name left is
 * garbage, also after a crash between the two steps.
 *
 * A content is hashed first: when it is there already it only gets a name
 * more. Hashing and writing run side by side; naming takes turns, so that no
 * body is swept between its first and its second name.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libglobal/slot_io.h"
#include "libmail/sha256.h"
#include "libtask/folder.h"
#include "libtask/io.h"
#include "libtask/loop.h"
#include "libtask/memfile.h"
#include "libutil/alloc.h"
#include "libutil/hex.h"
#include "stored/stored.h"
#include "stored/stored_events.h"

#define BODY_MODE	0440
#define PIECE		((size_t)65536)
#define TEMPORARY_AGE	3600		/* s: no younger one is left over */
#define NAME_MAX_LEN	96

struct big_job {
	struct list	link;			/* in big_store.writing */
	const struct msg_account_big *m;
	char		temporary[NAME_MAX_LEN];
	char		shared[NAME_MAX_LEN];	/* big/HASH */
	char		folder[NAME_MAX_LEN];	/* shard/account/big */
	char		own[NAME_MAX_LEN * 2];	/* shard/account/big/HASH */
	const char	*account;
	unsigned char	hash[32];
};

/* big_init - with nothing going on */
void
big_init(struct big_store *b, struct loop *l)
{
	work_lane_init(&b->lane, 1);
	list_init(&b->writing);
	list_init(&b->waiters);
	loop_random(l, &b->run, sizeof(b->run));
}

/* --- keeping */

/* write_all - a piece of it */
static int
write_all(int out, const char *piece, size_t len)
{
	ssize_t put;

	for (size_t done = 0; done < len; done += (size_t)put)
		if ((put = write(out, piece + done, len - done)) < 0)
			return -errno;
	return 0;
}

/* copy - hash the content, and write it unless out is -1 */
static int
copy(const struct msg_account_big *m, int out, struct sha256 *hash)
{
	char		*piece = xmalloc(PIECE);
	uint64_t	 left = m->length, at = m->offset;
	int		 r = 0;

	while (r == 0 && left > 0) {
		size_t	n = left < PIECE ? (size_t)left : PIECE;

		if ((r = memfile_pread(m->content, at, piece, n)) < 0)
			break;
		if (out >= 0)
			r = write_all(out, piece, n);
		if (r == 0)
			sha256_add(hash, slice_over(piece, n));
		at += n;
		left -= n;
	}
	free(piece);
	return r;
}

/* digest - of the content, which is written unless out is -1 */
static int
digest(struct big_job *j, int out)
{
	struct sha256	hash;
	int		r;

	sha256_begin(&hash);
	r = copy(j->m, out, &hash);
	sha256_take(&hash, j->hash);
	sha256_done(&hash);
	return r;
}

/* hash_body - a work item: what it would be called */
static int
hash_body(void *arg)
{
	struct big_job		*j = arg;
	enum memfile_kind	kind;
	uint64_t		size;
	int			r;

	r = memfile_check(j->m->content, UINT64_MAX, &kind, &size);
	if (r == 0 && (j->m->offset > size ||
	    j->m->length > size - j->m->offset))
		r = -EBADMSG;
	return r < 0 ? r : digest(j, -1);
}

/* write_body - a work item: a temporary file, durable. It is hashed again: a
 * file that is no sealed one may have changed. */
static int
write_body(void *arg)
{
	struct big_job	*j = arg;
	int		 fd, r;

	fd = open(j->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    BODY_MODE);
	if (fd < 0)
		return -errno;
	r = digest(j, fd);
	if (r == 0 && fsync(fd) < 0)
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

/* set_names - by its hash */
static void
set_names(struct big_job *j)
{
	struct buf hex = BUF_INIT;

	hex_encode(&hex, slice_over(j->hash, sizeof(j->hash)));
	(void)snprintf(j->shared, sizeof(j->shared), "big/%s", buf_cstr(&hex));
	(void)snprintf(j->folder, sizeof(j->folder), "%.2s/%.16s/big",
	    j->account, j->account);
	(void)snprintf(j->own, sizeof(j->own), "%s/%.64s", j->folder,
	    buf_cstr(&hex));
	buf_free(&hex);
}

/* share_body - a work item: one more name for what is there; -ENOENT it is
 * not, or not whole */
static int
share_body(void *arg)
{
	struct big_job	*j = arg;
	struct stat	 st;
	int		 r;

	set_names(j);
	if (lstat(j->shared, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != j->m->length)
		return -ENOENT;
	if ((r = add_name(j->shared, j->own)) < 0)
		return r;
	return folder_sync(AT_FDCWD, j->folder);
}

/* name_body - a work item: its two names, the account's durable */
static int
name_body(void *arg)
{
	struct big_job	*j = arg;
	int		 r;

	set_names(j);
	/* the account's name alone has to last: a shared one that a power cut
	 * takes is made anew by the next who has that body */
	if ((r = add_name(j->temporary, j->shared)) < 0 ||
	    (r = add_name(j->shared, j->own)) < 0)
		return r;
	return folder_sync(AT_FDCWD, j->folder);
}

/* is_being_written - the same content, for another account? */
static bool
is_being_written(const struct big_store *b, const struct big_job *j)
{
	LIST_EACH(&b->writing, link)
		if (memcmp(CONTAINER_OF(link, struct big_job, link)->hash,
		    j->hash, sizeof(j->hash)) == 0)
			return true;
	return false;
}

/* share - one more name, when it is written; -ENOENT nobody has it */
static int
share(struct task *t, struct big_store *b, struct big_job *j)
{
	int r;

	for (;;) {
		r = work_run_in(t, &b->lane, share_body, j);
		if (r != -ENOENT || !is_being_written(b, j))
			return r;
		if ((r = wait_in(t, &b->waiters)) < 0)
			return r;
	}
}

/* write_and_name - a content that is new */
static int
write_and_name(struct task *t, struct big_store *b, struct big_job *j)
{
	int r;

	list_add_tail(&b->writing, &j->link);
	(void)snprintf(j->temporary, sizeof(j->temporary),
	    "big/%016" PRIx64 "-%" PRIu64 ".tmp", b->run, b->count++);
	if ((r = work_run(t, write_body, j)) == 0)
		r = work_run_in(t, &b->lane, name_body, j);
	(void)unlink(j->temporary);	/* else it is swept */
	list_remove(&j->link);
	wait_wake(&b->waiters);
	return r;
}

/* big_keep - name it, and write it before if it is new */
int
big_keep(struct task *t, struct account_entry *e,
    const struct msg_account_big *m, unsigned char ret_hash[32])
{
	struct big_store *b = e->stored->big;
	struct big_job	 j = { .m = m, .account = e->id };
	int		 r;

	list_init(&j.link);
	if ((r = work_run(t, hash_body, &j)) == 0)
		r = share(t, b, &j);
	if (r == -ENOENT)
		r = write_and_name(t, b, &j);
	if (r == 0)
		memcpy(ret_hash, j.hash, sizeof(j.hash));
	return r;
}

/* --- sweeping */

struct sweep {
	int64_t	age;		/* seconds */
	int64_t	now;
};

/* is_garbage - a body that no account has, or a temporary file left over */
static bool
is_garbage(const struct sweep *w, int folder, const char *name)
{
	struct stat	st;
	int64_t		age;

	if (name[0] == '.' ||
	    fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return false;
	/* a new name, or one less, changes the inode */
	age = w->now - st.st_ctime;
	if (slice_has_suffix(slice_of(name), S(".tmp")))
		return age >= TEMPORARY_AGE;
	return st.st_nlink == 1 && age >= w->age;
}

/* sweep - a work item: look at each file once */
static int
sweep(void *arg)
{
	struct sweep	*w = arg;
	struct timespec	 now;
	struct dirent	*e;
	DIR		*d = opendir("big");
	int		 r = 0;

	if (d == NULL)
		return errno == ENOENT ? 0 : -errno;
	(void)clock_gettime(CLOCK_REALTIME, &now);	/* cannot fail */
	w->now = now.tv_sec;
	while ((e = readdir(d)) != NULL)
		if (is_garbage(w, dirfd(d), e->d_name) &&
		    unlinkat(dirfd(d), e->d_name, 0) < 0)
			r = -errno;
	(void)closedir(d);
	return r;
}

/* big_sweep_task - at the start, and then now and again */
int
big_sweep_task(struct task *t, void *arg)
{
	const struct stored_params	*p;
	struct stored			*s = arg;
	int64_t				 pause;
	int				 r;

	do {
		struct sweep w;

		p = daemon_params(s->daemon);
		pause = p->stored_big_sweep_time;
		w.age = pause / 1000;
		r = work_run_in(t, &s->big->lane, sweep, &w);
		if (r < 0 && r != -ECANCELED)
			log_event(daemon_log(s->daemon), EV_STORED_SWEEP,
			    KV_ERR("why", r));
	} while (r != -ECANCELED && (r = task_sleep(t, pause)) == 0);
	return r;
}
