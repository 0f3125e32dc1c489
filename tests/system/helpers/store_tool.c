/* SPDX-License-Identifier: ISC */
/*
 * What is in accounts, while nothing runs: proves each account's records and
 * bodies, and prints the subject key of every message.
 *
 *	store_tool FOLDER ...
 *
 * Lines: "damage FOLDER TEXT" for a finding, "message FOLDER MAILBOX SUBJECT"
 * for a message. The status is 1 when there is damage.
 */
#include <errno.h>
#include <stdio.h>

#include "libstore/mailbox.h"
#include "libstore/message.h"
#include "libstore/verify.h"
#include "libutil/arena.h"

#define BATCH	500

struct look {
	const char	*folder;
	int		 status;
};

static void
damage(void *arg, const char *text)
{
	struct look *l = arg;

	printf("damage %s %s\n", l->folder, text);
	l->status = 1;
}

static void
on_damage(void *arg, struct slice key)
{
	(void)key;
	damage(arg, "a record fails its checksum");
}

/* subjects - print some messages of a mailbox; the last UID, 0 at the end */
static uint32_t
subjects(struct look *l, struct account *a, const struct mailbox_info *box,
    uint32_t from)
{
	struct message_meta	 meta[BATCH];
	struct email		 email[BATCH];
	uint64_t		 id[BATCH];
	struct arena		 arena = ARENA_INIT;
	size_t			 n = 0;
	uint32_t		 last = 0;

	if (message_fetch(a, box->id, from, UINT32_MAX, meta, BATCH, &n) < 0)
		damage(l, "a mailbox cannot be read");
	for (size_t i = 0; i < n; i++)
		id[i] = meta[i].email;
	if (n > 0 && message_get_emails(a, id, n, 0, &arena, email) < 0) {
		damage(l, "emails cannot be read");
		n = 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (email[i].result < 0)
			damage(l, "an email cannot be read");
		else
			printf("message %s %u %.*s\n", l->folder, box->id,
			    SLICE_ARG(email[i].subject));
		last = meta[i].uid;
	}
	arena_free(&arena);
	return last;
}

/* look - one account */
static int
look(const char *folder)
{
	struct look		 l = { folder, 0 };
	struct account_params	 p = ACCOUNT_PARAMS_INIT;
	struct arena		 arena = ARENA_INIT;
	struct verify_result	 v;
	struct mailbox_info	*box;
	struct account		*a = NULL;
	size_t			 n = 0;
	int			 r;

	p.on_damage = on_damage;
	p.arg = &l;
	/* a folder without an account: it never got any mail */
	if ((r = account_open(folder, &p, &a)) == -ENOENT)
		return 0;
	if (r < 0) {
		damage(&l, "the account cannot be opened");
		return l.status;
	}
	if (store_verify(a, VERIFY_BODIES, damage, &l, &v) < 0)
		damage(&l, "the account cannot be verified");
	if (mailbox_list(a, &arena, &box, &n) < 0)
		damage(&l, "the mailboxes cannot be listed");
	for (size_t i = 0; i < n; i++)
		for (uint32_t uid = 1; uid != 0;) {
			uid = subjects(&l, a, &box[i], uid);
			uid = uid == 0 ? 0 : uid + 1;
		}
	arena_free(&arena);
	account_close(&a);
	return l.status;
}

int
main(int argc, char **argv)
{
	int status = 0;

	for (int i = 1; i < argc; i++)
		status |= look(argv[i]);
	return status;
}
