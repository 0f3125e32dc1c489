/* SPDX-License-Identifier: ISC */
/*
 * The field is written word by word: a word that would pass column 78 goes on
 * a line of its own, as does each part that begins one for the reader's sake.
 * Foreign text passes a filter for the place it stands in on its way.
 */
#include "libmail/received.h"

#include "libutil/buf.h"
#include "libutil/calendar.h"
#include "libutil/utf8.h"

#define COLUMN_MAX	78		/* RFC 5322 2.1.1 */
#define FIELD_MOSTLY	512	/* bytes that suffice for it, mostly */

struct writer {
	struct buf	*out;
	size_t		 line_at;	/* where the line begins */
	bool		 utf8;		/* foreign text may be UTF-8 */
};

/* begin_line - a line of its own for what follows */
static void
begin_line(struct writer *w)
{
	buf_add(w->out, S("\r\n"));
	w->line_at = w->out->len;
	buf_add_byte(w->out, '\t');
}

/* begin_word - room for a word of that length: a blank, or a new line */
static void
begin_word(struct writer *w, size_t len)
{
	size_t	column = w->out->len - w->line_at;

	if (column <= 1)
		return;			/* at the start of a line */
	if (column + 1 + len > COLUMN_MAX)
		begin_line(w);
	else
		buf_add_byte(w->out, ' ');
}

/* add_words - text of ours, which may be broken at blanks */
static void
add_words(struct writer *w, struct slice text)
{
	struct slice	word;

	while (slice_next_word(&text, " ", &word)) {
		begin_word(w, word.len);
		buf_add(w->out, word);
	}
}

/* is_harmless - may the byte of foreign text stand in a word or comment? */
static bool
is_harmless(char c, bool utf8)
{
	if ((unsigned char)c >= 0x80)
		return utf8;
	return c > ' ' && c < 0x7f && c != '(' && c != ')' && c != '<' &&
	    c != '>' && c != '\\' && c != '"' && c != ';' && c != ',';
}

/* add_foreign - what others said, as one word with "?" for what could break
 * out of its place */
static void
add_foreign(struct writer *w, struct slice text)
{
	bool	utf8 = w->utf8 && utf8_is_valid(text);

	for (size_t i = 0; i < text.len; i++)
		buf_add_byte(w->out, is_harmless(text.data[i], utf8) ?
		    text.data[i] : '?');
}

/* add_address - "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 4.1.3) */
static void
add_address(struct writer *w, struct slice address)
{
	buf_add_byte(w->out, '[');
	if (slice_find(address, ':') != SLICE_NONE &&
	    !slice_has_prefix_nocase(address, S("IPv6:")))
		buf_add(w->out, S("IPv6:"));
	add_foreign(w, address);
	buf_add_byte(w->out, ']');
}

/* are_balanced - does each parenthesis have its other one? */
static bool
are_balanced(struct slice text)
{
	size_t	depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '(')
			depth++;
		else if (text.data[i] == ')' && depth-- == 0)
			return false;
		else if (text.data[i] == '\\')
			return false;
	}
	return depth == 0;
}

/* add_client - "from HELO (name [address])" and what is known of it */
static void
add_client(struct writer *w, const struct received *r)
{
	add_words(w, S("from"));
	begin_word(w, r->helo.len);
	add_foreign(w, r->helo);
	begin_word(w, r->client_name.len + r->client_address.len +
	    sizeof("( [IPv6:])") - 1);
	buf_add_byte(w->out, '(');
	add_foreign(w, r->client_name.len > 0 ? r->client_name : S("unknown"));
	if (r->client_address.len > 0) {
		buf_add_byte(w->out, ' ');
		add_address(w, r->client_address);
	}
	buf_add_byte(w->out, ')');
}

/* add_session - comments on TLS and login, a line each */
static void
add_session(struct writer *w, const struct received *r)
{
	struct slice	tls = r->tls, word;

	if (are_balanced(tls) && slice_next_word(&tls, " ", &word)) {
		begin_line(w);
		buf_add_byte(w->out, '(');
		buf_add(w->out, word);
		add_words(w, tls);
		buf_add_byte(w->out, ')');
	}
	if (r->login.len > 0) {
		begin_line(w);
		buf_add(w->out, S("(Authenticated sender:"));
		begin_word(w, r->login.len + 1);
		add_foreign(w, r->login);
		buf_add_byte(w->out, ')');
	}
}

/* add_self - "by HOST (SOFTWARE)", with who submitted it where no client did */
static void
add_self(struct writer *w, const struct received *r)
{
	add_words(w, S("by"));
	begin_word(w, r->host.len);
	add_foreign(w, r->host);
	if (r->software.len == 0)
		return;
	begin_word(w, r->software.len + 2);
	buf_add_byte(w->out, '(');
	add_foreign(w, r->software);
	if (r->submitter.len > 0) {
		struct slice rest = r->submitter, word;

		buf_add(w->out, S(", from"));
		while (slice_next_word(&rest, " ", &word)) {
			begin_word(w, word.len + 1);
			add_foreign(w, word);
		}
	}
	buf_add_byte(w->out, ')');
}

/* add_recipient - "for <recipient>", where it can be told */
static void
add_recipient(struct writer *w, struct slice recipient)
{
	if (recipient.len == 0 || (!w->utf8 && !utf8_is_ascii(recipient)))
		return;
	for (size_t i = 0; i < recipient.len; i++)
		if ((unsigned char)recipient.data[i] < ' ' ||
		    recipient.data[i] == 0x7f || recipient.data[i] == '<' ||
		    recipient.data[i] == '>')
			return;
	begin_line(w);
	buf_add(w->out, S("for <"));
	buf_add(w->out, recipient);
	buf_add_byte(w->out, '>');
}

/* received_protocol - RFC 3848 and RFC 6531 4.3 */
struct slice
received_protocol(unsigned protocol)
{
#define FOUR(base)	{ S_INIT(base), S_INIT(base "S"), S_INIT(base "A"), \
	S_INIT(base "SA") }
	static const struct slice names[][4] = {
		FOUR("SMTP"), FOUR("ESMTP"), FOUR("LMTP"), FOUR("UTF8SMTP"),
		FOUR("UTF8LMTP"),
	};
#undef FOUR
	size_t	base, how;

	if (protocol & RECEIVED_LMTP)
		base = (protocol & RECEIVED_UTF8) ? 4 : 2;
	else if (protocol & RECEIVED_UTF8)
		base = 3;
	else
		base = (protocol & RECEIVED_ESMTP) ? 1 : 0;
	how = ((protocol & RECEIVED_TLS) ? 1 : 0) +
	    ((protocol & RECEIVED_AUTH) ? 2 : 0);
	return names[base][how];
}

/* received_format - the whole field */
void
received_format(struct buf *out, const struct received *r)
{
	struct writer	w = { out, out->len,
			    (r->protocol & RECEIVED_UTF8) != 0 };

	buf_reserve(out, FIELD_MOSTLY);
	buf_add(out, S("Received:"));
	if (r->helo.len > 0) {
		add_client(&w, r);
		add_session(&w, r);
		begin_line(&w);
	}
	add_self(&w, r);
	if (r->helo.len > 0) {
		struct slice	protocol = received_protocol(r->protocol);

		begin_word(&w, sizeof("with") + protocol.len);
		buf_add(out, S("with "));
		buf_add(out, protocol);
	}
	begin_word(&w, sizeof("id") + r->queue_id.len);
	buf_add(out, S("id "));
	buf_add(out, r->queue_id);
	add_recipient(&w, r->recipient);
	buf_add_byte(out, ';');

	/* "Tue, 03 Feb 2026 04:05:06 +0100" */
	begin_word(&w, 31);
	calendar_format_rfc5322(out, r->time, r->zone);
	buf_add(out, S("\r\n"));
}
