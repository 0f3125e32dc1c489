/* SPDX-License-Identifier: ISC */
/*
 * Filing a batch: each message is put together, digested, and all of them are
 * stored in one transaction. Runs on a worker's thread, without tasks.
 *
 * The pieces of a message are, nearly always, some added header text and then
 * the content whole: then the text is kept as the email's prefix and the
 * content, with the facts of its one scan, as it came. Anything else (a field
 * removed in the middle of the header) is written out and scanned again.
 */
#include <stdlib.h>

#include "accountd/accountd.h"
#include "libmail/scan.h"
#include "libstore/digest.h"
#include "libstore/mailbox.h"
#include "libtask/memfile.h"
#include "libutil/alloc.h"

#define COPY_MAX	((uint64_t)131072)
/* of added text: what is left of a prefix beside the envelope's fields */
#define PREFIX_TEXT_MAX	((size_t)EMAIL_PREFIX_MAX - 2048)

/* delivery_free - with its content and its descriptor */
void
delivery_free(struct delivery *d)
{
	if (d == NULL)
		return;
	memfile_unmap(&d->mapped);
	buf_free(&d->copy);
	ipc_close_fds(&msg_deliver_ask_desc, d->ask);
	arena_free(&d->arena);
	free(d);
}

/* --- the message */

/* open_content - the content as bytes. What is long and cannot change is
 * mapped; the rest is copied: a short one because that costs less, a file
 * because its reader would die if it shrank. */
static int
open_content(const struct accountd_params *p, struct delivery *d,
    struct slice *ret_content)
{
	const struct msg_deliver_ask *ask = d->ask;
	enum memfile_kind	kind;
	uint64_t		size;
	int			r;

	r = memfile_check(ask->content, UINT64_MAX, &kind, &size);
	if (r < 0)
		return r;
	if (ask->content_length > p->accountd_content_limit)
		return -EMSGSIZE;
	if (ask->offset > size || ask->content_length > size - ask->offset)
		return -EBADMSG;
	if (kind == MEMFILE_SEALED && ask->content_length > COPY_MAX) {
		if ((r = memfile_map(ask->content, &d->mapped)) < 0)
			return r;
		*ret_content = slice_sub(d->mapped, (size_t)ask->offset,
		    (size_t)ask->content_length);
		return 0;
	}
	*ret_content = SLICE_EMPTY;
	if (ask->content_length == 0)
		return 0;
	d->copy.max = (size_t)ask->content_length;
	r = memfile_read_buf(ask->content, ask->offset,
	    (size_t)ask->content_length, &d->copy);
	*ret_content = buf_slice(&d->copy);
	return r;
}

/* add_field - "Name: <value>\r\n"; what could break the line is not let in */
static void
add_field(struct buf *out, const char *name, struct slice value, bool angles)
{
	buf_addf(out, "%s: %s", name, angles ? "<" : "");
	for (size_t i = 0; i < value.len; i++)
		buf_add_byte(out, (unsigned char)value.data[i] < ' ' ||
		    value.data[i] == 127 ? '?' : value.data[i]);
	buf_add_text(out, angles ? ">\r\n" : "\r\n");
}

/* add_envelope - what final delivery adds (RFC 5321 4.4) */
static void
add_envelope(struct buf *out, const struct msg_deliver_ask *ask)
{
	add_field(out, "Return-Path", ask->sender, true);
	if (ask->original.len > 0 &&
	    !slice_equal_nocase(ask->original, ask->recipient))
		add_field(out, "X-Original-To", ask->original, false);
	add_field(out, "Delivered-To", ask->recipient, false);
}

/* leading_text - how many pieces at the front are text */
static size_t
leading_text(const struct msg_deliver_ask *ask)
{
	size_t i = 0;

	while (i < ask->pieces.n && !ask->pieces.v[i].of_content)
		i++;
	return i;
}

/* filing_is_plain - text in front, then the content from end to end? */
bool
filing_is_plain(const struct msg_deliver_ask *ask)
{
	size_t		text = leading_text(ask), len = 0;
	const struct msg_piece *last;

	if (ask->pieces.n == 0)
		return true;
	for (size_t i = 0; i < text; i++)
		len += ask->pieces.v[i].text.len;
	if (text != ask->pieces.n - 1 || len > PREFIX_TEXT_MAX)
		return false;
	last = &ask->pieces.v[text];
	return last->offset == 0 && last->length == ask->content_length;
}

/* add_pieces - write out pieces from..to */
static int
add_pieces(struct buf *out, const struct msg_deliver_ask *ask,
    struct slice content, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		const struct msg_piece *p = &ask->pieces.v[i];

		if (p->of_content && (p->offset > content.len ||
		    p->length > content.len - p->offset))
			return -EBADMSG;
		buf_add(out, p->of_content ? slice_sub(content,
		    (size_t)p->offset, (size_t)p->length) : p->text);
	}
	return buf_check(out);
}

/* scan_again - digest a content whose facts we do not have */
static void
scan_again(struct delivery *d)
{
	struct scan *s = scan_new(NULL);

	scan_feed(s, d->message->content);
	digest_make(d->message->content, scan_finish(s), &d->arena,
	    &d->message->facts);
	scan_free(&s);
}

/* digest - from the facts that came along, if they fit */
static void
digest(struct delivery *d, bool as_scanned)
{
	struct facts facts;

	if (as_scanned && facts_parse(d->ask->facts, d->message->content.len,
	    &d->arena, &facts) == 0)
		digest_make(d->message->content, &facts, &d->arena,
		    &d->message->facts);
	else
		scan_again(d);
}

/* assemble - prefix and content of the message as it is stored */
static int
assemble(const struct accountd_params *p, struct delivery *d,
    struct slice content)
{
	const struct msg_deliver_ask *ask = d->ask;
	size_t		text = leading_text(ask), n = ask->pieces.n;
	struct buf	prefix = BUF_INIT_MAX(EMAIL_PREFIX_MAX);
	struct buf	whole = BUF_INIT_MAX(p->accountd_content_limit);
	bool		as_scanned = filing_is_plain(ask);
	int		r = 0;

	add_envelope(&prefix, ask);
	if (as_scanned)
		r = add_pieces(&prefix, ask, content, 0, text);
	else
		text = 0;	/* it becomes content */
	d->message->prefix = arena_dup(&d->arena, buf_slice(&prefix));
	d->message->content = content;
	if (r < 0)
		goto out;
	if (!as_scanned && (r = add_pieces(&whole, ask, content, text, n)) == 0)
		d->message->content = arena_dup(&d->arena, buf_slice(&whole));
	if (r == 0)
		digest(d, as_scanned);
out:
	buf_free(&prefix);
	buf_free(&whole);
	return r;
}

/* give_to_store - a content that stored keeps is named, not written */
static void
give_to_store(struct delivery *d)
{
	struct deliver_message *m = d->message;

	m->is_big = true;
	memcpy(m->big_hash, d->hash, sizeof(m->big_hash));
	m->big_size = m->content.len;
	m->content = SLICE_EMPTY;
}

/* --- where it goes */

/* extension - what stands behind the first delimiter in the local part */
static struct slice
extension(struct slice recipient, struct slice delimiters)
{
	struct slice	local = slice_sub(recipient, 0,
			    slice_find_last(recipient, '@'));

	for (size_t i = 1; i < local.len; i++)
		if (slice_find(delimiters, local.data[i]) != SLICE_NONE)
			return slice_from(local, i + 1);
	return SLICE_EMPTY;
}

/* find_nocase - the mailbox of that path in any case: addresses are often
 * lower-cased on their way */
static int
find_nocase(struct account *a, struct slice path, struct arena *arena,
    struct mailbox_info *ret_info)
{
	struct mailbox_info	*list;
	size_t			 n;
	int			 r;

	if ((r = mailbox_list(a, arena, &list, &n)) < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		if (slice_equal_nocase(list[i].path, path)) {
			*ret_info = list[i];
			return 0;
		}
	}
	return -ENOENT;
}

/* filing_mailbox - where a message to that recipient goes */
int
filing_mailbox(struct account *a, struct slice recipient,
    struct slice delimiters, struct arena *arena, uint32_t *ret_id,
    struct slice *ret_path)
{
	struct slice		path = extension(recipient, delimiters);
	struct mailbox_info	info;
	int			r = -ENOENT;

	if (path.len > 0 && mailbox_path_check(path) == 0) {
		r = mailbox_find(a, path, arena, &info);
		if (r == -ENOENT)
			r = find_nocase(a, path, arena, &info);
		if (r == 0 && info.is_noselect)
			r = -ENOENT;
	}
	if (r == -ENOENT || r == -EINVAL)
		r = mailbox_find(a, S("INBOX"), arena, &info);
	if (r < 0)
		return r;
	*ret_id = info.id;
	*ret_path = info.path;
	return 0;
}

/* --- the batch */

/* mark - by which it is known again; NULL if it has no id */
static const struct delivery_mark *
mark(struct delivery *d)
{
	const struct msg_deliver_ask	*ask = d->ask;
	struct slice			 content = ask->content_id;
	struct delivery_span		*doubts;
	struct delivery_mark		*m;

	if (ask->delivery_id.len < DELIVERY_ID_LEN)
		return NULL;
	if (content.len < DELIVERY_ID_LEN)
		content = ask->delivery_id;
	m = ARENA_NEW(&d->arena, struct delivery_mark);
	memcpy(m->id, ask->delivery_id.data, sizeof(m->id));
	memcpy(m->content, content.data, sizeof(m->content));
	m->taken = ask->taken;
	m->again = ask->again;
	doubts = ARENA_ARRAY(&d->arena, struct delivery_span, ask->doubts.n);
	m->doubt_count = size_min(ask->doubts.n, DELIVERY_DOUBTS_MAX);
	for (size_t i = 0; i < m->doubt_count; i++)
		doubts[i] = (struct delivery_span){ ask->doubts.v[i].since,
		    ask->doubts.v[i].until };
	m->doubts = doubts;
	return m;
}

/* prepare - make the store's message of a delivery */
static int
prepare(const struct filing *f, struct delivery *d)
{
	const struct msg_deliver_ask	*ask = d->ask;
	struct deliver_message		*m;
	struct slice			 content;
	int				 r;

	m = d->message = ARENA_NEW(&d->arena, struct deliver_message);
	m->places = ARENA_NEW(&d->arena, struct deliver_place);
	m->place_count = 1;
	m->mark = mark(d);
	if ((r = filing_mailbox(f->account, ask->recipient,
	    f->p->recipient_delimiter, &d->arena, &m->places[0].mailbox,
	    &d->mailbox)) < 0 ||
	    (r = open_content(f->p, d, &content)) < 0)
		return r;
	if ((r = assemble(f->p, d, content)) == 0 && d->is_big)
		give_to_store(d);
	return r;
}

/* status_of_result - what the store's result means for the mail */
static struct status
status_of_result(const struct filing *f, struct delivery *d, int r)
{
	d->is_duplicate = r == 1;
	if (r == 0)
		return status_make(250, "2.0.0", "Saved in %.*s",
		    SLICE_ARG(d->mailbox));
	if (r == 1)
		return status_make(250, "2.0.0", "Saved before");
	if (r == -EDQUOT && f->p->accountd_quota_temporary)
		return status_make(452, "4.2.2", "Mailbox is full");
	if (r == -EDQUOT)
		return status_make(552, "5.2.2", "Mailbox is full");
	if (r == -EMSGSIZE)
		return status_make(552, "5.3.4",
		    "Message is too large for the mail store");
	return status_from_errno(r, "mail store");
}

/* filing_run - a batch, from descriptors to durable mail */
int
filing_run(void *arg)
{
	struct filing		*f = arg;
	struct deliver_message	*m = NEW_ARRAY(struct deliver_message,
				    f->count);
	struct delivery		**of = NEW_ARRAY(struct delivery *, f->count);
	size_t			 n = 0;
	int			 r;

	for (size_t i = 0; i < f->count; i++) {
		struct delivery *d = f->jobs[i];

		if ((r = prepare(f, d)) < 0) {
			d->status = status_of_result(f, d, r);
			continue;
		}
		m[n] = *d->message;
		of[n++] = d;
	}
	r = n == 0 ? 0 : message_deliver(f->account, m, n, DELIVER_EACH);
	for (size_t i = 0; i < n; i++) {
		*of[i]->message = m[i];
		of[i]->status = status_of_result(f, of[i],
		    r < 0 ? r : m[i].result);
		of[i]->is_gone = of[i]->is_big &&
		    status_is_ok(&of[i]->status) && !big_is_there(of[i]->hash);
	}
	free(m);
	free(of);
	return 0;
}
