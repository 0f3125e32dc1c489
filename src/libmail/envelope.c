/* SPDX-License-Identifier: ISC */
/*
 * One walk over the header. Texts are taken from the first field of a name;
 * addresses from all of them, since a second To is wrong (RFC 5322 3.6), but
 * its recipients are real.
 */
#include "libmail/envelope.h"

#include "libmail/addr_list.h"
#include "libmail/facts_wire.h"
#include "libmail/header.h"
#include "libmail/imap_format.h"
#include "libutil/utf8.h"

/* list_of - the address list that a field belongs to; false if to none */
static bool
list_of(enum header_id id, enum envelope_list *ret_list)
{
	switch (id) {
	case HEADER_FROM:	*ret_list = ENVELOPE_FROM; return true;
	case HEADER_SENDER:	*ret_list = ENVELOPE_SENDER; return true;
	case HEADER_REPLY_TO:	*ret_list = ENVELOPE_REPLY_TO; return true;
	case HEADER_TO:		*ret_list = ENVELOPE_TO; return true;
	case HEADER_CC:		*ret_list = ENVELOPE_CC; return true;
	case HEADER_BCC:	*ret_list = ENVELOPE_BCC; return true;
	default:		return false;
	}
}

/* text_of - the text that a field fills; NULL if it fills none */
static struct slice *
text_of(struct envelope *e, enum header_id id)
{
	switch (id) {
	case HEADER_DATE:		return &e->date;
	case HEADER_SUBJECT:		return &e->subject;
	case HEADER_IN_REPLY_TO:	return &e->in_reply_to;
	case HEADER_MESSAGE_ID:		return &e->message_id;
	default:			return NULL;
	}
}

/* present - a text that is there, even if it is empty */
static struct slice
present(struct slice s)
{
	return s.len == 0 ? S("") : utf8_cut(s, ENVELOPE_TEXT_MAX);
}

/* or_nil - a text, or NIL if it is empty */
static struct slice
or_nil(struct slice s)
{
	return s.len == 0 ? SLICE_EMPTY : present(s);
}

/* to_addr - an item of an address field as IMAP has it. What is no address
 * comes as a name alone, so that the reader at least sees it. */
static struct envelope_addr
to_addr(const struct addr_item *item, struct arena *a)
{
	struct envelope_addr	addr = { .name = SLICE_EMPTY };

	switch (item->kind) {
	case ADDR_ITEM_GROUP_BEGIN:
		addr.mailbox = present(item->name);
		return addr;
	case ADDR_ITEM_GROUP_END:
		return addr;
	case ADDR_ITEM_MAILBOX:
		break;
	}
	if (item->valid || item->is_null) {
		addr.name = or_nil(item->name);
		addr.route = or_nil(item->route);
	} else {
		addr.name = or_nil(header_unfold_in(a, item->raw));
	}
	addr.mailbox = present(item->local);
	addr.host = present(item->domain);
	return addr;
}

/* add_addr - one more address, if the limit allows */
static void
add_addr(struct envelope_addrs *l, size_t *cap, struct arena *a,
    struct envelope_addr addr)
{
	if (l->count == *cap) {
		struct envelope_addr	*more;

		*cap = size_max(4, *cap * 2);
		more = ARENA_ARRAY(a, struct envelope_addr, *cap);
		if (l->count > 0)
			memcpy(more, l->addr, l->count * sizeof(*more));
		l->addr = more;
	}
	l->addr[l->count++] = addr;
}

/* add_field - the addresses of a field. A group that the limit cuts is left
 * open, and closed here: one place is kept for that. */
static void
add_field(struct envelope_addrs *l, struct slice value, struct arena *a)
{
	struct addr_list	walk = ADDR_LIST_OVER(value);
	struct addr_item	item;
	bool			in_group = false;
	size_t			cap = l->count;

	while (l->count + 2 <= ENVELOPE_ADDRS_MAX &&
	    addr_list_next(&walk, a, &item)) {
		if (item.kind != ADDR_ITEM_MAILBOX)
			in_group = item.kind == ADDR_ITEM_GROUP_BEGIN;
		else if (!item.valid && !item.is_null && item.raw.len == 0)
			continue;
		add_addr(l, &cap, a, to_addr(&item, a));
	}
	if (in_group)
		add_addr(l, &cap, a, (struct envelope_addr){
			.name = SLICE_EMPTY });
}

/* envelope_from_header - read a header */
void
envelope_from_header(struct slice header, struct arena *a,
    struct envelope *ret_envelope)
{
	struct cursor		c = cursor_over(header);
	struct envelope		e = { .date = SLICE_EMPTY };
	struct header_field	f;
	enum envelope_list	list;
	struct slice		*text;

	while (header_next(&c, &f)) {
		if (list_of(f.id, &list))
			add_field(&e.list[list], f.value, a);
		else if ((text = text_of(&e, f.id)) != NULL &&
		    text->data == NULL)
			*text = present(header_unfold_in(a, f.value));
	}
	*ret_envelope = e;
}

/* envelope_format - append the record */
void
envelope_format(struct buf *out, const struct envelope *e)
{
	buf_add_byte(out, ENVELOPE_VERSION);
	facts_wire_text(out, e->date);
	facts_wire_text(out, e->subject);
	facts_wire_text(out, e->in_reply_to);
	facts_wire_text(out, e->message_id);
	for (size_t i = 0; i < ENVELOPE_LISTS; i++) {
		const struct envelope_addrs	*l = &e->list[i];

		facts_wire_number(out, l->count);
		for (size_t k = 0; k < l->count; k++) {
			facts_wire_text(out, l->addr[k].name);
			facts_wire_text(out, l->addr[k].route);
			facts_wire_text(out, l->addr[k].mailbox);
			facts_wire_text(out, l->addr[k].host);
		}
	}
}

/* parse_addrs - one list of the record */
static int
parse_addrs(struct cursor *c, struct arena *a, struct envelope_addrs *l)
{
	uint64_t	count;
	int		r;

	if ((r = facts_wire_take(c, ENVELOPE_ADDRS_MAX, &count)) < 0)
		return r;
	/* an address takes four bytes at least */
	if (count > cursor_left(c) / 4)
		return -EBADMSG;
	if (count > 0)
		l->addr = ARENA_ARRAY(a, struct envelope_addr, count);
	for (; l->count < count; l->count++) {
		struct envelope_addr	*p = &l->addr[l->count];

		if ((r = facts_wire_take_text(c, &p->name)) < 0 ||
		    (r = facts_wire_take_text(c, &p->route)) < 0 ||
		    (r = facts_wire_take_text(c, &p->mailbox)) < 0 ||
		    (r = facts_wire_take_text(c, &p->host)) < 0)
			return r;
	}
	return 0;
}

/* envelope_parse - read the record */
int
envelope_parse(struct slice record, struct arena *a,
    struct envelope *ret_envelope)
{
	struct cursor	c = cursor_over(record);
	struct envelope	e = { .date = SLICE_EMPTY };
	int		r;

	if (cursor_byte(&c) != ENVELOPE_VERSION)
		return -EBADMSG;
	if ((r = facts_wire_take_text(&c, &e.date)) < 0 ||
	    (r = facts_wire_take_text(&c, &e.subject)) < 0 ||
	    (r = facts_wire_take_text(&c, &e.in_reply_to)) < 0 ||
	    (r = facts_wire_take_text(&c, &e.message_id)) < 0)
		return r;
	for (size_t i = 0; i < ENVELOPE_LISTS; i++)
		if ((r = parse_addrs(&c, a, &e.list[i])) < 0)
			return r;
	if (!cursor_at_end(&c))
		return -EBADMSG;
	*ret_envelope = e;
	return 0;
}

/* envelope_addrs - a list, with From standing in */
const struct envelope_addrs *
envelope_addrs(const struct envelope *e, enum envelope_list list)
{
	if ((list == ENVELOPE_SENDER || list == ENVELOPE_REPLY_TO) &&
	    e->list[list].count == 0)
		list = ENVELOPE_FROM;
	return &e->list[list];
}

/* render_addr - one address structure */
static void
render_addr(struct buf *out, const struct envelope_addr *addr)
{
	buf_add_byte(out, '(');
	imap_format_nstring(out, addr->name);
	buf_add_byte(out, ' ');
	imap_format_nstring(out, addr->route);
	buf_add_byte(out, ' ');
	imap_format_nstring(out, addr->mailbox);
	buf_add_byte(out, ' ');
	imap_format_nstring(out, addr->host);
	buf_add_byte(out, ')');
}

/* envelope_render - append IMAP's list */
void
envelope_render(struct buf *out, const struct envelope *e)
{
	buf_add_byte(out, '(');
	imap_format_nstring(out, e->date);
	buf_add_byte(out, ' ');
	imap_format_nstring(out, e->subject);
	for (size_t i = 0; i < ENVELOPE_LISTS; i++) {
		const struct envelope_addrs	*l = envelope_addrs(e,
		    (enum envelope_list)i);

		buf_add_byte(out, ' ');
		if (l->count == 0) {
			buf_add_text(out, "NIL");
			continue;
		}
		buf_add_byte(out, '(');
		for (size_t k = 0; k < l->count; k++)
			render_addr(out, &l->addr[k]);
		buf_add_byte(out, ')');
	}
	buf_add_byte(out, ' ');
	imap_format_nstring(out, e->in_reply_to);
	buf_add_byte(out, ' ');
	imap_format_nstring(out, e->message_id);
	buf_add_byte(out, ')');
}
