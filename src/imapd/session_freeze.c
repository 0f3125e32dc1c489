/* SPDX-License-Identifier: ISC */
/*
 * A session asleep: version, what is selected and how, its view, the ranges
 * of recent messages, and the tag of an IDLE. Little endian, by hand: it is
 * one record that only this file reads. It comes back through the broker, so
 * every number in it is checked.
 */
#include "imapd/session_private.h"

#include "libutil/cursor.h"

#define FREEZE_VERSION	2
#define FREEZE_IDLING	1
#define FREEZE_READ_ONLY 2

/* imap_session_freeze - append its state */
void
imap_session_freeze(const struct imap_session *s, struct buf *out)
{
	const struct session_selected *sel = &s->selected;
	struct view_state v = { .mailbox = 0 };

	if (sel->view != NULL)
		view_get_state(sel->view, &v);
	buf_add_byte(out, FREEZE_VERSION);
	buf_add_byte(out, (char)((s->tag_len > 0 ? FREEZE_IDLING : 0) |
	    (sel->read_only ? FREEZE_READ_ONLY : 0)));
	buf_add_le32(out, v.mailbox);
	buf_add_le32(out, v.uidvalidity);
	buf_add_le32(out, v.uidnext);
	buf_add_le32(out, v.count);
	buf_add_le64(out, v.modseq);
	buf_add_le64(out, v.gone_modseq);
	buf_add_le64(out, sel->keywords_told);
	buf_add_le16(out, sel->table_told);
	buf_add_le64(out, s->command_count);
	buf_add_le16(out, (uint16_t)sel->recent.count);
	for (size_t i = 0; i < sel->recent.count; i++) {
		buf_add_le32(out, sel->recent.ranges[i].first);
		buf_add_le32(out, sel->recent.ranges[i].last);
	}
	buf_add_le16(out, (uint16_t)s->tag_len);
	buf_add(out, slice_over(s->tag, s->tag_len));
}

/* read_view - the view's part */
static int
read_view(struct cursor *c, struct view_state *v)
{
	if (cursor_le32(c, &v->mailbox) < 0 ||
	    cursor_le32(c, &v->uidvalidity) < 0 ||
	    cursor_le32(c, &v->uidnext) < 0 ||
	    cursor_le32(c, &v->count) < 0 ||
	    cursor_le64(c, &v->modseq) < 0 ||
	    cursor_le64(c, &v->gone_modseq) < 0)
		return -EBADMSG;
	return 0;
}

/* read_recent - the ranges of recent messages */
static int
read_recent(struct cursor *c, struct session_recent *recent)
{
	uint16_t	n;
	uint32_t	first, last;

	if (cursor_le16(c, &n) < 0 || n > SESSION_RECENT_MAX)
		return -EBADMSG;
	for (recent->count = 0; recent->count < n; recent->count++) {
		if (cursor_le32(c, &first) < 0 || cursor_le32(c, &last) < 0 ||
		    first == 0 || first > last)
			return -EBADMSG;
		recent->ranges[recent->count] =
		    (struct uid_range){ first, last };
	}
	return 0;
}

/* read_state - all of it */
static int
read_state(struct slice state, struct imap_session *s)
{
	struct cursor	c = cursor_over(state);
	struct slice	tag;
	uint16_t	tag_len;
	int		flags;

	if (cursor_byte(&c) != FREEZE_VERSION)
		return -EBADMSG;
	flags = cursor_byte(&c);
	if (flags < 0 || read_view(&c, &s->asleep) < 0 ||
	    cursor_le64(&c, &s->selected.keywords_told) < 0 ||
	    cursor_le16(&c, &s->selected.table_told) < 0 ||
	    cursor_le64(&c, &s->command_count) < 0 ||
	    read_recent(&c, &s->selected.recent) < 0 ||
	    cursor_le16(&c, &tag_len) < 0 || tag_len > IMAP_TAG_MAX ||
	    cursor_bytes(&c, tag_len, &tag) < 0 || !cursor_at_end(&c) ||
	    ((flags & FREEZE_IDLING) != 0) != (tag_len > 0))
		return -EBADMSG;
	s->selected.read_only = (flags & FREEZE_READ_ONLY) != 0;
	if (tag_len > 0)
		memcpy(s->tag, tag.data, tag_len);
	s->tag_len = tag_len;
	s->is_thawed = true;
	return 0;
}

/* imap_session_thaw - make a session that slept */
int
imap_session_thaw(const struct imap_session_setup *setup, struct slice state,
    struct imap_session **ret_session)
{
	struct imap_session *s = imap_session_new(setup);
	int	r = read_state(state, s);

	if (r < 0) {
		imap_session_free(&s);
		return r;
	}
	*ret_session = s;
	return 0;
}
