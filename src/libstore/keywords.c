/* SPDX-License-Identifier: ISC */
/*
 * One table of names for the whole account: a flag word means the same in
 * each mailbox, so that copying and moving carry it over as it is. The first
 * 48 names have a bit; few accounts ever use the side record.
 */
#include "libstore/keywords.h"

/* keyword_is_valid - an atom (RFC 3501 9), so no flag with a backslash */
bool
keyword_is_valid(struct slice name)
{
	if (name.len == 0 || name.len > KEYWORD_LEN_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.data[i] <= ' ' || name.data[i] >= 0x7f ||
		    slice_find(S("(){%*\"\\]"), name.data[i]) != SLICE_NONE)
			return false;
	return true;
}

/* more_insert - a number at its place, unless it is there */
static void
more_insert(struct txn *t, struct flag_set *s, uint16_t number)
{
	struct more_keywords *m = s->more;
	size_t	at = 0;

	if (m == NULL)
		m = s->more = ARENA_NEW(&t->arena, struct more_keywords);
	while (at < m->count && m->number[at] < number)
		at++;
	if (at < m->count && m->number[at] == number)
		return;
	memmove(&m->number[at + 1], &m->number[at],
	    (m->count - at) * sizeof(m->number[0]));
	m->number[at] = number;
	m->count++;
	s->word |= FLAG_MORE;
}

/* set_add_number - a keyword by number */
static void
set_add_number(struct txn *t, struct flag_set *s, int number)
{
	if (number < FLAG_KEYWORDS_INLINE)
		s->word |= FLAG_KEYWORD(number);
	else
		more_insert(t, s, (uint16_t)number);
}

/* keywords_resolve - names to numbers */
int
keywords_resolve(struct txn *t, uint64_t system, const struct slice *names,
    size_t n, bool create, struct flag_set *ret_set)
{
	struct flag_set s = { .word = system & FLAGS_SYSTEM };
	struct keyword_table *table;
	int	r;

	if (n > 0 && (r = txn_keywords(t, &table)) < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		int number;

		if (!keyword_is_valid(names[i]))
			return -EINVAL;
		number = keyword_table_find(table, names[i]);
		if (number < 0 && !create)
			continue;
		if (number < 0) {
			if (table->count == KEYWORDS_MAX)
				return -ENOSPC;
			number = table->count++;
			table->name[number] = arena_dup(&t->arena, names[i]);
			t->keywords_dirty = true;
			t->is_changed = true;
		}
		set_add_number(t, &s, number);
	}
	*ret_set = s;
	return 0;
}

/* keywords_load - a word with its side record */
int
keywords_load(struct txn *t, uint32_t mailbox, uint32_t uid, uint64_t word,
    struct flag_set *ret_set)
{
	struct flag_set s = { .word = word };
	struct slice value;
	struct key k;
	int	r;

	if ((word & FLAG_MORE) != 0) {
		key_u32_u32(&k, KEY_MORE_KEYWORDS, mailbox, uid);
		s.more = ARENA_NEW(&t->arena, struct more_keywords);
		if ((r = txn_get(t, &k, &value)) < 0)
			return r == -ENOENT ? -EBADMSG : r;
		if ((r = more_keywords_decode(value, s.more)) < 0)
			return r;
	}
	*ret_set = s;
	return 0;
}

/* keywords_store - keep the side record in step with the word */
int
keywords_store(struct txn *t, uint32_t mailbox, uint32_t uid, bool had_more,
    const struct flag_set *new_set)
{
	struct key k;
	int	r;

	key_u32_u32(&k, KEY_MORE_KEYWORDS, mailbox, uid);
	if ((new_set->word & FLAG_MORE) == 0) {
		r = had_more ? txn_del(t, &k) : 0;
		return r == -ENOENT ? 0 : r;
	}
	buf_reset(&t->scratch);
	more_keywords_encode(&t->scratch, new_set->more);
	return txn_put(t, &k, buf_slice(&t->scratch));
}

/* set_copy - with a side list of its own */
static struct flag_set
set_copy(struct txn *t, const struct flag_set *a)
{
	struct flag_set s = *a;

	if (a->more != NULL) {
		s.more = ARENA_NEW(&t->arena, struct more_keywords);
		*s.more = *a->more;
	}
	return s;
}

/* keywords_add - union */
void
keywords_add(struct txn *t, const struct flag_set *a, const struct flag_set *b,
    struct flag_set *ret_set)
{
	struct flag_set s = set_copy(t, a);

	s.word |= b->word;
	for (size_t i = 0; b->more != NULL && i < b->more->count; i++)
		more_insert(t, &s, b->more->number[i]);
	*ret_set = s;
}

/* more_has - is the number in the list? */
static bool
more_has(const struct more_keywords *m, uint16_t number)
{
	for (size_t i = 0; m != NULL && i < m->count; i++)
		if (m->number[i] == number)
			return true;
	return false;
}

/* keywords_remove - difference */
void
keywords_remove(struct txn *t, const struct flag_set *a,
    const struct flag_set *b, struct flag_set *ret_set)
{
	struct flag_set s = { .word = a->word & ~(b->word | FLAG_MORE) };

	for (size_t i = 0; a->more != NULL && i < a->more->count; i++)
		if (!more_has(b->more, a->more->number[i]))
			more_insert(t, &s, a->more->number[i]);
	*ret_set = s;
}

/* keywords_equal - the same flags? */
bool
keywords_equal(const struct flag_set *a, const struct flag_set *b)
{
	if (a->word != b->word)
		return false;
	if ((a->word & FLAG_MORE) == 0)
		return true;
	return a->more->count == b->more->count &&
	    memcmp(a->more->number, b->more->number,
	    a->more->count * sizeof(a->more->number[0])) == 0;
}
