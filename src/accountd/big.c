/* SPDX-License-Identifier: ISC */
/*
 * Large contents. stored hashes and flushes them, links them into the
 * account's folder, and thus keeps one file for all accounts that have it;
 * what it cannot keep the account keeps for itself.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "accountd/accountd.h"
#include "libglobal/ipc_account.h"
#include "libutil/hex.h"

#define HASH_LEN	32	/* SHA-256 */
#define BIG_LIMIT	60000	/* ms for stored to keep a large content */

/* big_keep - have stored keep a content */
int
big_keep(struct task *t, struct account_process *ap, int fd, uint64_t offset,
    uint64_t length, unsigned char ret_hash[32])
{
	struct msg_account_big	m = { fd, offset, length };
	const struct msg_account_big_kept *kept;
	struct arena		a = ARENA_INIT;
	struct deadline		limit;
	void			*reply;
	int			r;

	deadline_begin(t, &limit, BIG_LIMIT);
	r = ipc_call(t, &ap->control, &msg_account_big_desc, &m,
	    &msg_account_big_kept_desc, &a, &reply);
	r = deadline_end(t, &limit, r);
	if (r == 0) {
		kept = reply;
		r = kept->ok && kept->hash.len == HASH_LEN;
		if (r == 1)
			memcpy(ret_hash, kept->hash.data, HASH_LEN);
	} else if (r != -ECANCELED) {
		r = 0;
	}
	arena_free(&a);
	return r;
}

/* big_is_there - its file in our folder? */
bool
big_is_there(const unsigned char hash[32])
{
	struct buf	name = BUF_INIT;
	struct stat	st;
	bool		there;

	buf_add_text(&name, "big/");
	hex_encode(&name, slice_over(hash, HASH_LEN));
	there = fstatat(AT_FDCWD, buf_cstr(&name), &st,
	    AT_SYMLINK_NOFOLLOW) == 0;
	buf_free(&name);
	return there;
}
