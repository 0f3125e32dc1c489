/* SPDX-License-Identifier: ISC */
/*
 * What a message gets on its way in: Received, and for local submissions the
 * fields it lacks; what is taken out: message_drop_headers. The content itself
 * is not touched: the message becomes a list of pieces.
 */
#include "cleanup/cleanup.h"

#include <unistd.h>

#include "cleanup/cleanup_events.h"
#include "libtask/zone.h"
#include "libutil/calendar.h"

#define PIECES_MAX	256
#define VALUE_MAX	2000

/* content_range - bytes of the content, wherever it is */
static int
content_range(const struct message *m, uint64_t offset, size_t len,
    struct buf *out)
{
	if (m->large.fd >= 0)
		return memfile_read_buf(message_fd(m), offset, len, out);
	buf_add(out, slice_sub(buf_slice(&m->content), (size_t)offset, len));
	return buf_check(out);
}

/* find_message_id - for the log and for duplicates */
static int
find_message_id(struct message *m)
{
	const struct facts_field	*f;
	struct buf			 raw = BUF_INIT;
	struct slice			 id;
	uint32_t			 at = 0;
	int				 r = 0;

	f = facts_next_field(m->facts, HEADER_MESSAGE_ID, &at);
	if (f == NULL)
		return 0;
	r = content_range(m, f->offset + f->value,
	    size_min(f->length - f->value, VALUE_MAX), &raw);
	if (r == 0 && header_message_ids(buf_slice(&raw), &m->arena, 1,
	    &id) == 1 && id.len <= 1000 && slice_find(id, '\0') == SLICE_NONE)
		m->envelope->message_id = arena_dup(&m->arena, id);
	buf_free(&raw);
	return r;
}

/* is_dropped - is this field to be taken out? */
static bool
is_dropped(const struct message *m, const struct facts_field *f)
{
	const struct param_list	*l = &m->p->message_drop_headers;
	struct slice		 name = header_name_of(f->id);

	for (size_t i = 0; name.len > 0 && i < l->count; i++)
		if (slice_equal_nocase(l->item[i], name))
			return true;
	return false;
}

/* missing - fields that a submission lacks (RFC 6409 8) */
static void
missing(const struct message *m, struct buf *out)
{
	int64_t now = m->envelope->arrival / 1000000;

	if (!m->add_missing)
		return;
	if (!facts_has(m->facts, HEADER_DATE)) {
		buf_add_text(out, "Date: ");
		calendar_format_rfc5322(out, now, zone_at(now));
		buf_add_text(out, "\r\n");
	}
	if (!facts_has(m->facts, HEADER_FROM) && m->envelope->sender.len > 0)
		buf_addf(out, "From: %.*s\r\n", SLICE_ARG(m->envelope->sender));
	if (m->envelope->message_id.len == 0) {
		struct slice id = arena_printf(
		    &((struct message *)(uintptr_t)m)->arena, "%s@%.*s",
		    m->id.text, SLICE_ARG(m->p->myhostname));

		buf_addf(out, "Message-ID: <%.*s>\r\n", SLICE_ARG(id));
		m->envelope->message_id = id;
	}
}

struct pieces {
	struct msg_piece	*v;
	size_t			 n;
	size_t			 max;
};

/* pieces_new - room for text in front, and what stays between the fields that
 * are taken out */
static struct pieces
pieces_new(struct message *m)
{
	struct pieces p = { .max = 2 };

	for (uint32_t i = 0; i < m->facts->field_count; i++)
		p.max += is_dropped(m, &m->facts->fields[i]);
	p.max = size_min(p.max, PIECES_MAX);
	p.v = ARENA_ARRAY(&m->arena, struct msg_piece, p.max);
	return p;
}

static void
add_range(struct pieces *p, uint64_t from, uint64_t to)
{
	if (to <= from || p->n == p->max)
		return;
	p->v[p->n++] = (struct msg_piece){ .of_content = true, .offset = from,
	    .length = to - from };
}

/* ranges - the content without the fields that are taken out */
static void
ranges(const struct message *m, struct pieces *p)
{
	uint64_t from = 0;

	for (uint32_t i = 0; i < m->facts->field_count; i++) {
		const struct facts_field *f = &m->facts->fields[i];

		/* room is kept for the last range */
		if (!is_dropped(m, f) || p->n >= p->max - 1)
			continue;
		add_range(p, from, f->offset);
		from = f->offset + f->length;
	}
	add_range(p, from, m->length);
}

/* message_dress - pieces, Message-ID, and the hop count */
int
message_dress(struct task *t, struct message *m, struct status *ret_refusal)
{
	struct pieces	p = pieces_new(m);
	struct buf	text = BUF_INIT;
	int		r;

	if (m->facts->received_count > (uint64_t)m->p->hopcount_limit) {
		*ret_refusal = status_make(554, "5.4.6",
		    "Error: too many hops");
		return -ELOOP;
	}
	if ((r = find_message_id(m)) < 0)
		return r;
	m->envelope->taken = task_wall(t);
	if ((r = doubt_name(t, m)) < 0)
		return r;
	buf_add(&text, m->received);
	missing(m, &text);
	if (text.len > 0)
		p.v[p.n++] = (struct msg_piece){
		    .text = arena_dup(&m->arena, buf_slice(&text)) };
	buf_free(&text);
	ranges(m, &p);
	m->envelope->pieces.v = p.v;
	m->envelope->pieces.n = p.n;
	log_event(&m->log, EV_CLEANUP_MESSAGE,
	    KV_STR("message_id", m->envelope->message_id));
	return 0;
}
