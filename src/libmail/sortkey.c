/* SPDX-License-Identifier: ISC */
/*
 * The base subject is found by cutting a slice at both ends, in the steps and
 * with the grammar of RFC 5256 2.1 and 5, on the decoded subject.
 */
#include "libmail/sortkey.h"

#include "libmail/addr.h"
#include "libmail/rfc2047.h"
#include "libutil/cursor.h"
#include "libutil/utf8.h"

/* bytes of a subject that count: a run of blobs is looked at again and again */
#define SUBJECT_MAX	2048

/* add_blanked - append with runs of blanks made one space */
static void
add_blanked(struct buf *out, struct slice text)
{
	struct slice	word;
	bool		first = true;

	while (slice_next_word(&text, " \t\r\n", &word)) {
		if (!first)
			buf_add_byte(out, ' ');
		buf_add(out, word);
		first = false;
	}
}

/* skip_blob - subj-blob */
static bool
skip_blob(struct cursor *c)
{
	struct cursor	at = *c;
	int		byte;

	if (!cursor_skip_byte(&at, '['))
		return false;
	while ((byte = cursor_byte(&at)) != ']')
		if (byte == -1 || byte == '[')
			return false;
	(void)cursor_skip_blanks(&at);
	*c = at;
	return true;
}

/* skip_refwd - subj-refwd */
static bool
skip_refwd(struct cursor *c)
{
	struct cursor	at = *c;

	if (!cursor_skip_nocase(&at, S("re")) &&
	    !cursor_skip_nocase(&at, S("fwd")) &&
	    !cursor_skip_nocase(&at, S("fw")))
		return false;
	(void)cursor_skip_blanks(&at);
	(void)skip_blob(&at);
	if (!cursor_skip_byte(&at, ':'))
		return false;
	*c = at;
	return true;
}

/* skip_leader - subj-leader */
static bool
skip_leader(struct cursor *c, bool *reply)
{
	struct cursor	at = *c;

	if (cursor_skip_blanks(c) > 0)
		return true;
	while (skip_blob(&at))
		continue;
	if (!skip_refwd(&at))
		return false;
	*reply = true;
	*c = at;
	return true;
}

/* cut_trailers - step 2 */
static struct slice
cut_trailers(struct slice s, bool *reply)
{
	for (;;) {
		if (s.len > 0 && ascii_is_blank(s.data[s.len - 1])) {
			s.len--;
		} else if (slice_has_suffix_nocase(s, S("(fwd)"))) {
			s.len -= 5;
			*reply = true;
		} else {
			return s;
		}
	}
}

/* cut_prefixes - steps 3 to 5 */
static struct slice
cut_prefixes(struct slice s, bool *reply)
{
	struct cursor	c = cursor_over(s), behind;

	for (;;) {
		while (skip_leader(&c, reply))
			continue;
		behind = c;
		if (!skip_blob(&behind) || cursor_at_end(&behind))
			return cursor_rest(&c);
		c = behind;
	}
}

/* base_of - the base of a decoded subject */
static struct slice
base_of(struct slice s, bool *reply)
{
	for (;;) {
		s = cut_trailers(s, reply);
		s = cut_prefixes(s, reply);
		if (!slice_has_prefix_nocase(s, S("[fwd:")) ||
		    !slice_has_suffix(s, S("]")))
			return s;
		s = slice_sub(s, 5, s.len - 6);		/* step 6 */
		*reply = true;
	}
}

/* sortkey_subject - append the base subject */
bool
sortkey_subject(struct buf *out, struct slice subject)
{
	struct buf	text = BUF_INIT, blanked = BUF_INIT;
	bool		reply = false;

	rfc2047_decode(&text, utf8_cut(subject, 4 * SUBJECT_MAX));
	add_blanked(&blanked, utf8_cut(buf_slice(&text), SUBJECT_MAX));
	buf_add(out, base_of(buf_slice(&blanked), &reply));
	buf_free(&text);
	buf_free(&blanked);
	return reply;
}

/* first_of - the first address of a list, groups passed by */
static const struct envelope_addr *
first_of(const struct envelope_addrs *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->addr[i].host.data != NULL)
			return &list->addr[i];
	return NULL;
}

/* sortkey_mailbox - append the first address's mailbox */
void
sortkey_mailbox(struct buf *out, const struct envelope_addrs *list)
{
	/* RFC 5256 3 takes addr-mailbox of the first, which is a group's name
	 * if that comes first */
	if (list->count > 0)
		buf_add(out, list->addr[0].mailbox);
}

/* sortkey_display - append what is shown of the first address */
void
sortkey_display(struct buf *out, const struct envelope_addrs *list)
{
	const struct envelope_addr	*addr = first_of(list);
	struct buf			 name = BUF_INIT;

	if (addr == NULL) {
		/* RFC 5957 2: the group's name, if there is but a group */
		if (list->count > 0)
			rfc2047_decode(out, list->addr[0].mailbox);
		return;
	}
	rfc2047_decode(&name, addr->name);
	if (name.len > 0) {
		add_blanked(out, buf_slice(&name));
	} else {
		buf_add(out, addr->mailbox);
		if (addr->host.len > 0) {
			buf_add_byte(out, '@');
			buf_add(out, addr->host);
		}
	}
	buf_free(&name);
}

/* sortkey_fold - append a key folded */
void
sortkey_fold(struct buf *out, struct slice key)
{
	struct arena	a = ARENA_INIT;
	struct slice	folded = addr_fold(&a, key);

	/* i;ascii-casemap compares upper-case letters: "_" is behind them */
	for (size_t i = 0; i < folded.len; i++)
		buf_add_byte(out, ascii_upper(folded.data[i]));
	arena_free(&a);
}
