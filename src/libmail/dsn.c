/* SPDX-License-Identifier: ISC */
/*
 * The parts are written first, each to a buf of its own, because the boundary
 * between them must occur in none of them; then the header and the parts go
 * to the head in their order.
 */
#include "libmail/dsn.h"

#include <stdio.h>

#include "libmail/addr_list.h"
#include "libmail/dsn_part.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/calendar.h"
#include "libutil/utf8.h"

#define BOUNDARY_MAX	70		/* RFC 2046 5.1.1 */
#define REFERENCES_MAX	20		/* of a long thread, the last ones */
#define REFERENCE_MAX	250		/* octets of one */

/* what is written about, and with what */
struct writing {
	const struct dsn_report		*r;
	const struct dsn_template	*t;
	enum dsn_returns		 returns;
	struct buf			 notice, status;
	char				 boundary[BOUNDARY_MAX + 1];
};

/* content_size - octets of the message that could be returned */
static uint64_t
content_size(const struct dsn_report *r)
{
	uint64_t	size = 0;

	for (size_t i = 0; i < r->content_count; i++)
		size += r->content[i].len;
	return size;
}

/* what_returns - the message whole, or its header alone? */
static enum dsn_returns
what_returns(const struct dsn_report *r)
{
	/* RFC 3461 4.3: RET is about reports of failure; others have no more
	 * than the header */
	if (r->kind != DSN_FAILURE || r->ret == SMTP_RET_HDRS ||
	    r->postmaster_copy || r->content_count == 0)
		return DSN_RETURNS_HEADER;
	if (r->size_limit > 0 && content_size(r) > r->size_limit)
		return DSN_RETURNS_HEADER;
	return DSN_RETURNS_CONTENT;
}

/* occurs_in_content - is the needle in the content, seams between its pieces
 * included? */
static bool
occurs_in_content(const struct dsn_report *r, struct slice needle)
{
	char	seam[2 * BOUNDARY_MAX];
	size_t	len = 0, keep = needle.len - 1;

	for (size_t i = 0; i < r->content_count; i++) {
		struct slice	piece = r->content[i];
		struct slice	begin = slice_sub(piece, 0, keep);

		if (slice_find_slice(piece, needle) != SLICE_NONE)
			return true;
		if (begin.len > 0)
			memcpy(seam + len, begin.data, begin.len);
		len += begin.len;
		if (slice_find_slice(slice_over(seam, len), needle) !=
		    SLICE_NONE)
			return true;

		/* keep what the next seam begins with */
		if (piece.len > keep) {
			memcpy(seam, piece.data + (piece.len - keep), keep);
			len = keep;
		} else if (len > keep) {
			memmove(seam, seam + (len - keep), keep);
			len = keep;
		}
	}
	return false;
}

/* occurs - is the needle in anything that the report will hold? */
static bool
occurs(const struct writing *w, struct slice needle)
{
	return slice_find_slice(buf_slice(&w->notice), needle) != SLICE_NONE ||
	    slice_find_slice(buf_slice(&w->status), needle) != SLICE_NONE ||
	    slice_find_slice(w->r->header, needle) != SLICE_NONE ||
	    occurs_in_content(w->r, needle);
}

/* choose_boundary - one that does not occur; the "=_" is in no base64 or
 * quoted-printable, the id is new, and the number settles the rest */
static void
choose_boundary(struct writing *w)
{
	char	id[33];
	size_t	len = 0;

	for (size_t i = 0; i < w->r->id.len && len < sizeof(id) - 1; i++)
		if (ascii_is_alnum(w->r->id.data[i]))
			id[len++] = w->r->id.data[i];
	id[len] = '\0';
	for (unsigned i = 1; ; i++) {
		(void)snprintf(w->boundary, sizeof(w->boundary), "=_%s.%u",
		    id, i);
		if (!occurs(w, slice_of(w->boundary)))
			break;
	}
}

/* add_from - the template's sender, at our host if it names none */
static void
add_from(struct buf *out, const struct writing *w, struct arena *a)
{
	struct addr_list	l = ADDR_LIST_OVER(w->t->from);
	struct addr_item	item;
	struct slice		from = w->t->from;
	size_t			end = 0;

	buf_add(out, S("From: "));
	while (end == 0 && addr_list_next(&l, a, &item))
		if (item.valid && item.kind == ADDR_ITEM_MAILBOX &&
		    item.local.len > 0 && item.domain.len == 0)
			end = item.spec_at + item.spec.len;
	buf_add(out, slice_sub(from, 0, end));
	if (end > 0) {
		buf_add_byte(out, '@');
		buf_add(out, w->r->host);
	}
	buf_add(out, slice_from(from, end));
	buf_add(out, S("\r\n"));
}

/* add_subject - with its names replaced, on lines of fit length */
static void
add_subject(struct buf *out, const struct writing *w)
{
	struct dsn_names	names = { w->r };
	struct buf		text = BUF_INIT;
	struct slice		subject = w->t->subject;

	if (w->r->postmaster_copy && w->t->postmaster_subject.len > 0)
		subject = w->t->postmaster_subject;
	dsn_template_expand(&text, subject, dsn_part_lookup, &names);
	buf_add(out, S("Subject: "));
	dsn_part_fold(out, buf_slice(&text), " ");
	buf_add(out, S("\r\n"));
	buf_free(&text);
}

/* is_message_id - can it stand in References:? */
static bool
is_message_id(struct slice s)
{
	if (s.len < 3 || s.len > REFERENCE_MAX || s.data[0] != '<' ||
	    s.data[s.len - 1] != '>')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] <= ' ' || s.data[i] == 0x7f)
			return false;	/* 8-bit ones, too: char is signed */
	return true;
}

/* add_thread - let mail programs sort the report to its message */
static void
add_thread(struct buf *out, const struct dsn_report *r)
{
	struct slice	ids[REFERENCES_MAX], rest = r->references, word;
	struct slice	id = slice_trim(r->message_id);
	size_t		count = 0;

	if (!r->threaded || !is_message_id(id))
		return;
	while (slice_next_word(&rest, " \t\r\n", &word))
		if (is_message_id(word))
			ids[count++ % REFERENCES_MAX] = word;

	buf_add(out, S("References:"));
	for (size_t i = count > REFERENCES_MAX ? count - REFERENCES_MAX : 0;
	    i < count; i++) {
		word = ids[i % REFERENCES_MAX];
		if (slice_equal(word, id))
			continue;
		buf_add_byte(out, ' ');
		buf_add(out, word);
		buf_add(out, S("\r\n"));
	}
	buf_add_byte(out, ' ');
	buf_add(out, id);
	buf_add(out, S("\r\nIn-Reply-To: "));
	buf_add(out, id);
	buf_add(out, S("\r\n"));
}

/* is_8bit - does the whole of it need 8BITMIME? */
static bool
is_8bit(const struct writing *w)
{
	return w->r->smtputf8 || !utf8_is_ascii(buf_slice(&w->notice)) ||
	    (w->returns == DSN_RETURNS_CONTENT ? w->r->is_8bit :
	    !utf8_is_ascii(w->r->header));
}

/* add_header - the header of the report */
static void
add_header(struct buf *out, const struct writing *w, struct arena *a)
{
	const struct dsn_report	*r = w->r;

	buf_add(out, S("Date: "));
	calendar_format_rfc5322(out, r->now, r->zone);
	buf_add(out, S("\r\n"));
	add_from(out, w, a);
	add_subject(out, w);
	buf_add(out, S("To: "));
	if (r->smtputf8)
		addr_format(out, &r->to);
	else
		addr_format_ascii(out, &r->to);
	buf_addf(out, "\r\nMessage-ID: <%.*s@%.*s>\r\n", SLICE_ARG(r->id),
	    SLICE_ARG(r->host));
	add_thread(out, r);
	/* RFC 3834 5: no vacation program answers this */
	buf_addf(out, "Auto-Submitted: %s\r\nMIME-Version: 1.0\r\n",
	    r->postmaster_copy ? "auto-generated" : "auto-replied");
	buf_addf(out, "Content-Type: multipart/report; "
	    "report-type=delivery-status;\r\n\tboundary=\"%s\"\r\n",
	    w->boundary);
	if (is_8bit(w))
		buf_add(out, S("Content-Transfer-Encoding: 8bit\r\n"));
}

/* begin_part - a boundary and the header of a part */
static void
begin_part(struct buf *out, const struct writing *w, const char *description,
    struct slice type, bool eight_bit)
{
	buf_addf(out, "\r\n--%s\r\nContent-Description: %s\r\n"
	    "Content-Type: %.*s\r\n", w->boundary, description,
	    SLICE_ARG(type));
	if (eight_bit)
		buf_add(out, S("Content-Transfer-Encoding: 8bit\r\n"));
	buf_add(out, S("\r\n"));
}

/* add_notice - the first part; ASCII templates may get UTF-8 put in */
static void
add_notice(struct buf *out, const struct writing *w)
{
	bool		ascii = utf8_is_ascii(buf_slice(&w->notice));
	struct slice	charset = w->t->charset;
	struct buf	type = BUF_INIT;

	if (!ascii && slice_equal_nocase(charset, S("us-ascii")))
		charset = S("utf-8");
	buf_addf(&type, "text/plain; charset=%.*s", SLICE_ARG(charset));
	begin_part(out, w, "Notification", buf_slice(&type), !ascii);
	buf_add(out, buf_slice(&w->notice));
	buf_free(&type);
}

/* add_status - the second part */
static void
add_status(struct buf *out, const struct writing *w)
{
	bool	ascii = utf8_is_ascii(buf_slice(&w->status));

	begin_part(out, w, "Delivery report", ascii ?
	    S("message/delivery-status") :
	    S("message/global-delivery-status"), !ascii);
	buf_add(out, buf_slice(&w->status));
}

/* begin_returned - the third part, to where the message begins */
static void
begin_returned(struct buf *out, const struct writing *w)
{
	const struct dsn_report	*r = w->r;
	const char		*what = r->kind == DSN_FAILURE ?
				    "Undelivered Message" : "Message";

	if (w->returns == DSN_RETURNS_CONTENT) {
		begin_part(out, w, what, r->smtputf8 ? S("message/global") :
		    S("message/rfc822"), r->smtputf8 || r->is_8bit);
		return;
	}
	begin_part(out, w, r->kind == DSN_FAILURE ?
	    "Undelivered Message Headers" : "Message Headers",
	    r->smtputf8 ? S("message/global-headers") :
	    S("text/rfc822-headers"), !utf8_is_ascii(r->header));
	buf_add(out, r->header);
}

/* dsn_format - the whole report, but for the content */
int
dsn_format(const struct dsn_report *r, struct arena *a, struct buf *head,
    struct buf *tail, enum dsn_returns *ret_returns)
{
	struct writing	w = { .r = r, .t = r->template,
			    .returns = what_returns(r) };
	int		r_head, r_tail;

	if (w.t == NULL)
		w.t = &dsn_templates_builtin.of[r->kind];
	dsn_part_notice(&w.notice, r, w.t);
	dsn_part_status(&w.status, r);
	choose_boundary(&w);

	add_header(head, &w, a);
	buf_add(head, S("\r\nThis is a message in MIME format.\r\n"));
	add_notice(head, &w);
	add_status(head, &w);
	begin_returned(head, &w);
	buf_addf(tail, "\r\n--%s--\r\n", w.boundary);
	buf_free(&w.notice);
	buf_free(&w.status);

	r_head = buf_check(head);
	r_tail = buf_check(tail);
	if (r_head < 0 || r_tail < 0)
		return -EMSGSIZE;
	*ret_returns = w.returns;
	return 0;
}
