/* SPDX-License-Identifier: ISC */
/*
 * One message against a search program. Whatever a key needs beyond flags is
 * read when the first key asks for it; the program was ordered before so that
 * cheap keys come first and expensive ones are mostly not reached. Recursion
 * is bounded by the parser (IMAP_SEARCH_DEPTH_MAX).
 */
#include "imapd/session_search.h"

#include "libmail/header.h"
#include "libmail/rfc2047.h"
#include "libutil/calendar.h"

#define HEADER_MAX	((size_t)4 << 20)

/* search_message_done - release what was read */
void
search_message_done(struct search_message *m)
{
	session_body_done(&m->body);
	buf_free(&m->header);
}

/* search_cost - what a key must read */
enum search_cost
search_cost(const struct imap_search_key *key)
{
	enum search_cost most = SEARCH_COST_META, cost;

	switch (key->op) {
	case IMAP_SEARCH_BEFORE: case IMAP_SEARCH_ON: case IMAP_SEARCH_SINCE:
	case IMAP_SEARCH_OLDER: case IMAP_SEARCH_YOUNGER:
	case IMAP_SEARCH_LARGER: case IMAP_SEARCH_SMALLER:
		return SEARCH_COST_EMAIL;
	case IMAP_SEARCH_SENTBEFORE: case IMAP_SEARCH_SENTON:
	case IMAP_SEARCH_SENTSINCE: case IMAP_SEARCH_FROM:
	case IMAP_SEARCH_TO: case IMAP_SEARCH_CC: case IMAP_SEARCH_BCC:
	case IMAP_SEARCH_SUBJECT:
		return SEARCH_COST_DIGEST;
	case IMAP_SEARCH_HEADER: case IMAP_SEARCH_BODY:
	case IMAP_SEARCH_TEXT:
		return SEARCH_COST_BODY;
	case IMAP_SEARCH_AND: case IMAP_SEARCH_OR: case IMAP_SEARCH_NOT:
		for (const struct imap_search_key *k = key->child; k != NULL;
		    k = k->next)
			if ((cost = search_cost(k)) > most)
				most = cost;
		return most;
	default:
		return SEARCH_COST_META;
	}
}

/* need_email - the email's record */
static int
need_email(struct search_message *m)
{
	int	r;

	if (m->has_email)
		return 0;
	r = message_get_emails(m->account, &m->meta->email, 1,
	    EMAIL_WANT_CACHE, m->arena, &m->email);
	if (r < 0 || (r = m->email.result) < 0)
		return r;
	m->body = (struct session_body){ m->account, &m->email, NULL };
	m->has_email = true;
	return 0;
}

/* need_digest - what was kept of the content */
static int
need_digest(struct search_message *m)
{
	int	r = need_email(m);

	if (r < 0 || m->has_digest)
		return r;
	if ((r = session_body_digest_here(&m->body, m->arena,
	    &m->digest)) < 0)
		return r;
	m->has_digest = true;
	return 0;
}

/* need_envelope - date, subject, addresses */
static int
need_envelope(struct search_message *m)
{
	int	r = need_digest(m);

	if (r < 0 || m->has_envelope)
		return r;
	if ((r = envelope_parse(m->digest.envelope, m->arena,
	    &m->envelope)) < 0)
		return r;
	m->has_envelope = true;
	return 0;
}

/* need_header - the message's header, added fields included */
static int
need_header(struct search_message *m)
{
	struct slice	piece;
	uint64_t	at = 0;
	int		r = need_email(m);

	if (r < 0 || m->has_header)
		return r;
	if ((r = session_body_open_here(&m->body)) < 0)
		return r;
	/* pieces until the header ends in one; it is found again below */
	do {
		r = body_peek(m->body.body, at, SESSION_BODY_PIECE, &piece);
		if (r < 0)
			return r;
		buf_add(&m->header, piece);
		at += piece.len;
	} while (piece.len > 0 && m->header.len < HEADER_MAX &&
	    header_length(buf_slice(&m->header)) == m->header.len);
	m->has_header = true;
	return 0;
}

/* match_system - a key on one system flag; -1 if it is none of those */
static int
match_flag(enum imap_search_op op, uint64_t flags)
{
	static const struct {
		enum imap_search_op	op, un;
		uint64_t		flag;
	} keys[] = {
		{ IMAP_SEARCH_ANSWERED, IMAP_SEARCH_UNANSWERED,
		    FLAG_ANSWERED },
		{ IMAP_SEARCH_DELETED, IMAP_SEARCH_UNDELETED, FLAG_DELETED },
		{ IMAP_SEARCH_DRAFT, IMAP_SEARCH_UNDRAFT, FLAG_DRAFT },
		{ IMAP_SEARCH_FLAGGED, IMAP_SEARCH_UNFLAGGED, FLAG_FLAGGED },
		{ IMAP_SEARCH_SEEN, IMAP_SEARCH_UNSEEN, FLAG_SEEN },
	};

	for (size_t i = 0; i < COUNT(keys); i++) {
		if (op == keys[i].op)
			return (flags & keys[i].flag) != 0;
		if (op == keys[i].un)
			return (flags & keys[i].flag) == 0;
	}
	return -1;
}

/* match_keyword - has the message the keyword? */
static int
match_keyword(struct search_message *m, const struct imap_search_key *key)
{
	struct slice	*names;
	size_t		count;
	int		r;

	if ((m->meta->flags & (FLAGS_KEYWORDS | FLAG_MORE)) == 0)
		return 0;
	/* number: the keyword's bit, if it has one (see prepare) */
	if (key->number < FLAG_KEYWORDS_INLINE)
		return (m->meta->flags & FLAG_KEYWORD(key->number)) != 0;
	if ((m->meta->flags & FLAG_MORE) == 0)
		return 0;
	r = message_keywords(m->account, m->selected->mailbox, m->meta,
	    m->arena, &names, &count);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (slice_equal_nocase(names[i], key->text))
			return 1;
	return r;
}

/* match_record - a key on size or date of the email */
static int
match_record(struct search_message *m, const struct imap_search_key *key)
{
	int64_t	date, span;
	int	r = need_email(m);

	if (r < 0)
		return r;
	date = m->email.internal_date;
	/* no interval reaches back before 1970 and some */
	span = key->number > (uint64_t)m->now ? m->now : (int64_t)key->number;
	switch (key->op) {
	case IMAP_SEARCH_LARGER:
		return m->email.size > key->number;
	case IMAP_SEARCH_SMALLER:
		return m->email.size < key->number;
	case IMAP_SEARCH_OLDER:
		return date <= m->now - span;
	case IMAP_SEARCH_YOUNGER:
		return date >= m->now - span;
	case IMAP_SEARCH_BEFORE:
		return imap_day_of(date) < key->day;
	case IMAP_SEARCH_ON:
		return imap_day_of(date) == key->day;
	default:
		return imap_day_of(date) >= key->day;
	}
}

/* match_sent - a key on the Date field, as its author's calendar had it */
static int
match_sent(struct search_message *m, const struct imap_search_key *key)
{
	int64_t	seconds, day;
	int	zone, r;

	if ((r = need_envelope(m)) < 0)
		return r;
	if (calendar_parse_rfc5322(m->envelope.date, &seconds, &zone) < 0)
		return 0;
	day = imap_day_of(seconds + zone * 60);
	return key->op == IMAP_SEARCH_SENTBEFORE ? day < key->day :
	    key->op == IMAP_SEARCH_SENTON ? day == key->day :
	    day >= key->day;
}

/* add_address - as people know it: Name <mailbox@host> */
static void
add_address(struct buf *out, const struct envelope_addr *a)
{
	if (out->len > 0)
		buf_add_text(out, ", ");
	if (a->name.len > 0) {
		rfc2047_decode(out, a->name);
		buf_add_text(out, " <");
	}
	buf_add(out, a->mailbox);
	if (a->host.data != NULL) {
		buf_add_byte(out, '@');
		buf_add(out, a->host);
	}
	if (a->name.len > 0)
		buf_add_byte(out, '>');
}

/* match_addresses - a key on From, To, Cc, Bcc */
static int
match_addresses(struct search_message *m, const struct imap_search_key *key)
{
	enum envelope_list which =
	    key->op == IMAP_SEARCH_FROM ? ENVELOPE_FROM :
	    key->op == IMAP_SEARCH_TO ? ENVELOPE_TO :
	    key->op == IMAP_SEARCH_CC ? ENVELOPE_CC : ENVELOPE_BCC;
	const struct envelope_addrs *list;
	struct buf	text = BUF_INIT;
	int		r;

	if ((r = need_envelope(m)) < 0)
		return r;
	list = &m->envelope.list[which];
	for (size_t i = 0; i < list->count; i++)
		add_address(&text, &list->addr[i]);
	r = list->count > 0 && search_text_has(buf_slice(&text), key->text);
	buf_free(&text);
	return r;
}

/* match_subject - the key on Subject */
static int
match_subject(struct search_message *m, const struct imap_search_key *key)
{
	int	r = need_envelope(m);

	if (r < 0 || m->envelope.subject.data == NULL)
		return r;
	return search_field_has(m->envelope.subject, key->text);
}

/* match_header - a field of that name with that text; without text, any */
static int
match_header(struct search_message *m, struct slice name, struct slice text)
{
	struct header_field field;
	struct cursor	c;
	int		r = need_header(m);

	if (r < 0)
		return r;
	c = cursor_over(buf_slice(&m->header));
	while (header_next(&c, &field))
		if (slice_equal_nocase(field.name, name) &&
		    (text.len == 0 || search_field_has(field.value, text)))
			return 1;
	return 0;
}

/* match_whole_header - the text anywhere in the header */
static int
match_whole_header(struct search_message *m, struct slice text)
{
	struct header_field field;
	struct cursor	c;
	int		r = need_header(m);

	if (r < 0)
		return r;
	c = cursor_over(buf_slice(&m->header));
	while (header_next(&c, &field))
		if (search_field_has(field.raw, text))
			return 1;
	return 0;
}

/* match_text - BODY and TEXT; everything has the empty text */
static int
match_text(struct search_message *m, const struct imap_search_key *key)
{
	int	r = 0;

	if (key->text.len == 0)
		return 1;
	if (key->op == IMAP_SEARCH_TEXT)
		r = match_whole_header(m, key->text);
	if (r == 0 && (r = need_digest(m)) == 0)
		r = search_body_has(m, key->text);
	return r;
}

/* match_children - AND and OR */
static int
match_children(struct search_message *m, const struct imap_search_key *key)
{
	bool	is_or = key->op == IMAP_SEARCH_OR;
	int	r = !is_or;

	for (const struct imap_search_key *k = key->child; k != NULL;
	    k = k->next)
		if ((r = search_match(m, k)) < 0 || (r == 1) == is_or)
			return r;
	return r;
}

/* search_match - one key, or a tree of them */
int
search_match(struct search_message *m, const struct imap_search_key *key)
{
	bool	recent = session_is_recent(&m->selected->recent, m->meta->uid);
	int	r;

	switch (key->op) {
	case IMAP_SEARCH_ALL:
		return 1;
	case IMAP_SEARCH_AND:
	case IMAP_SEARCH_OR:
		return match_children(m, key);
	case IMAP_SEARCH_NOT:
		r = search_match(m, key->child);
		return r < 0 ? r : !r;
	case IMAP_SEARCH_SEQSET:
		return imap_seqset_has(&key->set, m->seq);
	case IMAP_SEARCH_UID:
		return imap_seqset_has(&key->set, m->meta->uid);
	case IMAP_SEARCH_NEW:
		return recent && (m->meta->flags & FLAG_SEEN) == 0;
	case IMAP_SEARCH_OLD:
		return !recent;
	case IMAP_SEARCH_RECENT:
		return recent;
	case IMAP_SEARCH_KEYWORD:
		return match_keyword(m, key);
	case IMAP_SEARCH_UNKEYWORD:
		r = match_keyword(m, key);
		return r < 0 ? r : !r;
	case IMAP_SEARCH_LARGER: case IMAP_SEARCH_SMALLER:
	case IMAP_SEARCH_OLDER: case IMAP_SEARCH_YOUNGER:
	case IMAP_SEARCH_BEFORE: case IMAP_SEARCH_ON: case IMAP_SEARCH_SINCE:
		return match_record(m, key);
	case IMAP_SEARCH_SENTBEFORE: case IMAP_SEARCH_SENTON:
	case IMAP_SEARCH_SENTSINCE:
		return match_sent(m, key);
	case IMAP_SEARCH_FROM: case IMAP_SEARCH_TO: case IMAP_SEARCH_CC:
	case IMAP_SEARCH_BCC:
		return match_addresses(m, key);
	case IMAP_SEARCH_SUBJECT:
		return match_subject(m, key);
	case IMAP_SEARCH_HEADER:
		return match_header(m, key->field, key->text);
	case IMAP_SEARCH_BODY: case IMAP_SEARCH_TEXT:
		return match_text(m, key);
	default:
		return match_flag(key->op, m->meta->flags);
	}
}
