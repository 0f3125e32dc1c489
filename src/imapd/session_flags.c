/* SPDX-License-Identifier: ISC */
/*
 * The flag word of the store as IMAP names it, and back. Keywords are named
 * in FLAGS before a message is said to have them (RFC 3501 7.2.6): of those
 * in the flag word the ones a mailbox has, of those in side records all that
 * the account has, since nobody counts them by mailbox.
 */
#include "imapd/session_private.h"

static const struct {
	uint32_t	imap;
	uint64_t	store;
} system_flags[] = {
	{ IMAP_FLAG_ANSWERED,	FLAG_ANSWERED },
	{ IMAP_FLAG_FLAGGED,	FLAG_FLAGGED },
	{ IMAP_FLAG_DELETED,	FLAG_DELETED },
	{ IMAP_FLAG_SEEN,	FLAG_SEEN },
	{ IMAP_FLAG_DRAFT,	FLAG_DRAFT },
};

/* imap_flags_of - the system flags of a flag word */
static uint32_t
imap_flags_of(uint64_t flags)
{
	uint32_t	out = 0;

	for (size_t i = 0; i < COUNT(system_flags); i++)
		if ((flags & system_flags[i].store) != 0)
			out |= system_flags[i].imap;
	return out;
}

/* session_store_flags - system flags of a command as the store has them */
uint64_t
session_store_flags(uint32_t system)
{
	uint64_t	out = 0;

	for (size_t i = 0; i < COUNT(system_flags); i++)
		if ((system & system_flags[i].imap) != 0)
			out |= system_flags[i].store;
	return out;
}

/* keyword_name - of a bit; the table is read once a command, and again when
 * another session has made a new keyword since */
static int
keyword_name(struct imap_session *s, size_t i, struct slice *ret_name)
{
	int	r;

	if (i >= s->keyword_count && (r = account_keywords(s->account,
	    &s->arena, &s->keywords, &s->keyword_count)) < 0)
		return r;
	if (i >= s->keyword_count)
		return -EBADMSG;
	*ret_name = s->keywords[i];
	return 0;
}

/* add_keywords - the names of keyword bits, each with a space before it */
static int
add_keywords(struct imap_session *s, uint64_t keywords)
{
	struct slice	name;
	int		r;

	for (size_t i = 0; i < FLAG_KEYWORDS_INLINE && keywords != 0; i++) {
		if ((keywords & FLAG_KEYWORD(i)) == 0)
			continue;
		keywords &= ~FLAG_KEYWORD(i);
		if ((r = keyword_name(s, i, &name)) < 0)
			return r;
		buf_add_byte(&s->out, ' ');
		buf_add(&s->out, name);
	}
	return 0;
}

/* add_all_keywords - the bits, and all that have no bit */
static int
add_all_keywords(struct imap_session *s, uint64_t bits)
{
	int	r;

	if ((r = add_keywords(s, bits)) < 0)
		return r;
	for (size_t i = FLAG_KEYWORDS_INLINE; i < s->keyword_count; i++) {
		buf_add_byte(&s->out, ' ');
		buf_add(&s->out, s->keywords[i]);
	}
	return 0;
}

/* session_format_mailbox_flags - FLAGS and PERMANENTFLAGS */
int
session_format_mailbox_flags(struct imap_session *s, uint64_t keywords,
    bool permanent)
{
	int	r;

	keywords &= FLAGS_KEYWORDS;
	if ((r = account_keywords(s->account, &s->arena, &s->keywords,
	    &s->keyword_count)) < 0)
		return r;
	buf_add_text(&s->out, "* FLAGS (");
	(void)imap_format_system_flags(&s->out, IMAP_FLAGS_ALL);
	if ((r = add_all_keywords(s, keywords)) < 0)
		return r;
	buf_add_text(&s->out, ")\r\n* OK [PERMANENTFLAGS (");
	if (permanent) {
		(void)imap_format_system_flags(&s->out, IMAP_FLAGS_ALL);
		if ((r = add_all_keywords(s, keywords)) < 0)
			return r;
		buf_add_text(&s->out, " \\*");
	}
	buf_addf(&s->out, ")] %s\r\n", permanent ?
	    "Flags can be set for good" : "No flag can be set");
	s->selected.keywords_told |= keywords;
	s->selected.table_told = (uint16_t)s->keyword_count;
	return 0;
}

/* has_new - has the account keywords without a bit that were not named? Asked
 * each time: other sessions make keywords, too */
static int
has_new(struct imap_session *s, bool *ret_new)
{
	struct arena	a = ARENA_INIT;
	struct slice	*names;
	size_t		count;
	int		r = account_keywords(s->account, &a, &names, &count);

	if (r == 0)
		*ret_new = count > FLAG_KEYWORDS_INLINE &&
		    count > s->selected.table_told;
	arena_free(&a);
	return r;
}

/* session_tell_keywords - name keywords before they are used */
int
session_tell_keywords(struct imap_session *s, uint64_t flags)
{
	struct session_selected *sel = &s->selected;
	uint64_t	unknown = flags & FLAGS_KEYWORDS & ~sel->keywords_told;
	bool		is_new = unknown != 0;
	int		r;

	if (!is_new && (flags & FLAG_MORE) != 0 &&
	    (r = has_new(s, &is_new)) < 0)
		return r;
	if (!is_new)
		return 0;
	return session_format_mailbox_flags(s, sel->keywords_told | unknown,
	    !sel->read_only);
}

/* add_side_keywords - all keywords of a message that has a side record */
static int
add_side_keywords(struct imap_session *s, const struct message_meta *m)
{
	struct slice	*names;
	size_t		count;
	int		r;

	r = message_keywords(s->account, s->selected.mailbox, m, &s->arena,
	    &names, &count);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		buf_add_byte(&s->out, ' ');
		buf_add(&s->out, names[i]);
	}
	return 0;
}

/* session_format_flags - the flags of a message */
int
session_format_flags(struct imap_session *s, const struct message_meta *m)
{
	size_t	open = s->out.len + 1;
	int	r = 0;

	buf_add_byte(&s->out, '(');
	(void)imap_format_system_flags(&s->out, imap_flags_of(m->flags));
	if ((m->flags & FLAG_MORE) != 0)
		r = add_side_keywords(s, m);
	else
		r = add_keywords(s, m->flags & FLAGS_KEYWORDS);
	if (session_is_recent(&s->selected.recent, m->uid))
		buf_add_text(&s->out, " \\Recent");
	/* without system flags the first name has a space too many */
	if (s->out.len > open && s->out.data[open] == ' ') {
		memmove(s->out.data + open, s->out.data + open + 1,
		    s->out.len - open - 1);
		buf_truncate(&s->out, s->out.len - 1);
	}
	buf_add_byte(&s->out, ')');
	return r;
}

/* session_format_flags_fetch - an untagged FETCH of the flags */
int
session_format_flags_fetch(struct imap_session *s,
    const struct message_meta *m, bool with_uid)
{
	int	r;

	if ((r = session_tell_keywords(s, m->flags)) < 0)
		return r;
	buf_addf(&s->out, "* %u FETCH (", view_seq(s->selected.view, m->uid));
	if (with_uid)
		buf_addf(&s->out, "UID %u ", m->uid);
	buf_add_text(&s->out, "FLAGS ");
	if ((r = session_format_flags(s, m)) < 0)
		return r;
	buf_add_text(&s->out, ")\r\n");
	return 0;
}
