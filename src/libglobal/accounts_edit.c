/* SPDX-License-Identifier: ISC */
/* Edits: a transaction around the function of a verb. */
#include "libglobal/accounts_edit_impl.h"

#include "libutil/hex.h"

static const struct {
	const char	*text;
	bool		 password;
} verbs[] = {
#define VERB(name, text, password, doc)	{ text, password },
#include "libglobal/accounts_verbs.def"
};

/* accounts_verb - by its text */
int
accounts_verb(struct slice text, enum accounts_verb *ret_verb)
{
	for (size_t i = 0; i < COUNT(verbs); i++) {
		if (!slice_equal(text, slice_of(verbs[i].text)))
			continue;
		*ret_verb = (enum accounts_verb)i;
		return 0;
	}
	return -ENOENT;
}

/* accounts_verb_has_password - must its value be hashed? */
bool
accounts_verb_has_password(enum accounts_verb verb)
{
	return verbs[verb].password;
}

/* accounts_id_make - lower-case hexadecimal */
void
accounts_id_make(const unsigned char random[8], char id[ACCOUNTS_ID_SIZE + 1])
{
	struct buf	b = BUF_INIT;

	hex_encode(&b, slice_over(random, 8));
	memcpy(id, buf_cstr(&b), ACCOUNTS_ID_SIZE + 1);
	buf_free(&b);
}

/* apply - the verb's function */
static int
apply(struct editing *x)
{
	switch (x->e->verb) {
#define VERB(name, text, password, doc) \
	case ACCOUNTS_##name:	return edit_##name(x);
#include "libglobal/accounts_verbs.def"
	case ACCOUNTS_VERB_COUNT:
		break;
	}
	return edit_refuse(x, "no such verb");
}

/* accounts_edit - one change, in one transaction */
int
accounts_edit(struct accounts *a, const struct accounts_edit *e,
    struct accounts_edited *ret_edited)
{
	struct accounts_txn	txn;
	struct arena		arena = ARENA_INIT;
	struct accounts_edited	done = { .account = "" };
	struct editing		x = { .txn = &txn, .e = e, .done = &done,
				    .arena = &arena };
	int			r;

	if ((r = accounts_begin(a, true, &txn)) < 0)
		return r;
	r = apply(&x);
	if (r == 0)
		r = accounts_commit(&txn);
	accounts_abort(&txn);
	arena_free(&arena);
	if (r < 0)
		done.is_void = false;
	*ret_edited = done;
	return r;
}
