/* SPDX-License-Identifier: ISC */
/*
 * Cache bytes: content length (8), lengths of envelope and structure record
 * (4 each), then both records, then the preview.
 */
#include "libstore/digest.h"

#include "libmail/preview.h"
#include "libmail/sortkey.h"
#include "libutil/calendar.h"
#include "libutil/cursor.h"

/* folded - a sort key made by one of sortkey.h's functions, folded */
static struct slice
folded(struct arena *a, struct buf *key)
{
	struct buf	out = BUF_INIT;
	struct slice	s;

	sortkey_fold(&out, buf_slice(key));
	s = arena_dup(a, slice_sub(buf_slice(&out), 0, EMAIL_TEXT_MAX));
	buf_free(&out);
	buf_reset(key);
	return s;
}

/* make_keys - sort keys and date, from the envelope */
static void
make_keys(const struct envelope *e, struct arena *a, struct email_facts *f)
{
	struct buf	key = BUF_INIT;
	int		zone;

	sortkey_mailbox(&key, envelope_addrs(e, ENVELOPE_FROM));
	f->from = folded(a, &key);
	sortkey_mailbox(&key, envelope_addrs(e, ENVELOPE_TO));
	f->to = folded(a, &key);
	sortkey_mailbox(&key, envelope_addrs(e, ENVELOPE_CC));
	f->cc = folded(a, &key);
	(void)sortkey_subject(&key, e->subject);
	f->subject = folded(a, &key);
	if (calendar_parse_rfc5322(e->date, &f->sent_date, &zone) < 0)
		f->sent_date = 0;
	buf_free(&key);
}

/* first_id - the first message-id of the field, or nothing */
static struct slice
first_id(struct slice header, enum header_id id, struct arena *a)
{
	struct header_field field;
	struct slice	ids[1];

	if (!header_find(header, id, &field) ||
	    header_message_ids(field.value, a, 1, ids) == 0)
		return SLICE_EMPTY;
	return ids[0];
}

/* make_ids - message-ids, from the header */
static void
make_ids(struct slice header, struct arena *a, struct email_facts *f)
{
	struct slice	*ids = ARENA_ARRAY(a, struct slice,
			    EMAIL_REFERENCES_MAX);
	struct header_field field;

	f->message_id = first_id(header, HEADER_MESSAGE_ID, a);
	f->in_reply_to = first_id(header, HEADER_IN_REPLY_TO, a);
	f->references = ids;
	if (header_find(header, HEADER_REFERENCES, &field))
		f->reference_count = header_message_ids(field.value, a,
		    EMAIL_REFERENCES_MAX, ids);
}

/* has_attachment - is a part meant to be saved, or nothing to be shown? */
static bool
has_attachment(const struct facts *f)
{
	for (uint32_t i = 0; i < f->part_count; i++) {
		const struct facts_part *p = &f->parts[i];

		if (p->disposition == DISPOSITION_ATTACHMENT)
			return true;
		if (p->kind == PART_LEAF && p->type >= TYPE_IMAGE &&
		    p->disposition == DISPOSITION_NONE &&
		    p->content_id.length == 0)
			return true;
	}
	return false;
}

/* digest_cache - envelope, structure and preview in one record */
struct slice
digest_cache(struct slice content, const struct facts *f, struct arena *a)
{
	struct slice	header = slice_sub(content, 0, facts_header_end(f));
	struct buf	envelope = BUF_INIT, structure = BUF_INIT;
	struct buf	out = BUF_INIT;
	struct envelope	e;
	struct slice	cache = SLICE_EMPTY;

	envelope_from_header(header, a, &e);
	envelope_format(&envelope, &e);
	structure_build(&structure, content, f);
	buf_add_le64(&out, content.len);
	buf_add_le32(&out, (uint32_t)envelope.len);
	buf_add_le32(&out, (uint32_t)structure.len);
	buf_add(&out, buf_slice(&envelope));
	buf_add(&out, buf_slice(&structure));
	preview_make(&out, content, f);
	if (buf_check(&envelope) == 0 && buf_check(&structure) == 0 &&
	    buf_check(&out) == 0)
		cache = arena_dup(a, buf_slice(&out));
	buf_free(&envelope);
	buf_free(&structure);
	buf_free(&out);
	return cache;
}

/* digest_make - everything that is kept of a message */
void
digest_make(struct slice content, const struct facts *f, struct arena *a,
    struct email_facts *ret_facts)
{
	struct slice	header = slice_sub(content, 0, facts_header_end(f));
	struct email_facts r = { .sent_date = 0 };
	struct envelope	e;

	envelope_from_header(header, a, &e);
	make_keys(&e, a, &r);
	make_ids(header, a, &r);
	r.has_attachment = has_attachment(f);
	r.cache = digest_cache(content, f, a);
	if (r.cache.len > EMAIL_CACHE_MAX)
		r.cache = SLICE_EMPTY;
	r.cache_version = r.cache.len > 0 ? DIGEST_VERSION : 0;
	*ret_facts = r;
}

/* digest_parse - read cache bytes */
int
digest_parse(uint32_t version, struct slice cache, struct digest *ret_digest)
{
	struct cursor	c = cursor_over(cache);
	struct digest	d;
	uint32_t	envelope_len, structure_len;

	if (version != DIGEST_VERSION ||
	    cursor_le64(&c, &d.content_length) < 0 ||
	    cursor_le32(&c, &envelope_len) < 0 ||
	    cursor_le32(&c, &structure_len) < 0 ||
	    cursor_bytes(&c, envelope_len, &d.envelope) < 0 ||
	    cursor_bytes(&c, structure_len, &d.structure) < 0)
		return -EBADMSG;
	d.preview = cursor_rest(&c);
	*ret_digest = d;
	return 0;
}
