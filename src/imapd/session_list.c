/* SPDX-License-Identifier: ISC */
/*
 * LIST (RFC 3501 6.3.8, RFC 5258, RFC 5819, RFC 6154), LSUB and STATUS: all
 * from the mailbox records, which the store lists in one read.
 */
#include "imapd/session_private.h"

#include "libutil/hash.h"

#include <stdlib.h>

#define NAMES_AT_ONCE	256	/* looked at before others get their turn */

/* what one name in the answer needs */
struct list_entry {
	struct slice			name;
	const struct mailbox_info	*info;	/* NULL: there is none */
	bool				subscribed;
	bool				child_subscribed;
};

/* apply_reference - put it before the patterns */
static void
apply_reference(struct imap_session *s)
{
	struct imap_list *l = &s->command.list;

	for (size_t i = 0; i < l->pattern_count && l->reference.len > 0; i++)
		l->patterns[i] = arena_printf(&s->arena, "%.*s%.*s",
		    SLICE_ARG(l->reference), SLICE_ARG(l->patterns[i]));
}

/* matches - does a name match one of the patterns? */
static bool
matches(const struct imap_session *s, struct slice name)
{
	const struct imap_list *l = &s->command.list;

	for (size_t i = 0; i < l->pattern_count; i++)
		if (imap_match(l->patterns[i], name))
			return true;
	return false;
}

/* add_attribute - one attribute, with a space before all but the first */
static void
add_attribute(struct buf *out, size_t start, const char *text)
{
	if (out->len > start)
		buf_add_byte(out, ' ');
	buf_add_text(out, text);
}

/* put_attributes - what is said of a name, in parentheses */
static void
put_attributes(struct imap_session *s, const struct list_entry *e)
{
	const struct imap_list *l = &s->command.list;
	struct buf	*out = &s->out;
	const char	*use;
	size_t		start;

	buf_add_byte(out, '(');
	start = out->len;
	if (e->info == NULL)
		add_attribute(out, start, l->extended ?
		    "\\NonExistent" : "\\Noselect");
	else if (e->info->is_noselect)
		add_attribute(out, start, "\\Noselect");
	if (e->info != NULL && s->command.id == IMAP_CMD_LIST) {
		add_attribute(out, start, e->info->has_children ?
		    "\\HasChildren" : "\\HasNoChildren");
		use = mailbox_role_imap(e->info->role);
		if (use != NULL)
			add_attribute(out, start, use);
	}
	if (e->subscribed && ((l->select | l->want) & IMAP_LIST_SUBSCRIBED))
		add_attribute(out, start, "\\Subscribed");
	buf_add_byte(out, ')');
}

/* put_name - "* LIST (...) "/" name" */
static void
put_name(struct imap_session *s, const struct list_entry *e)
{
	buf_addf(&s->out, "* %s ", imap_command_name(s->command.id));
	put_attributes(s, e);
	buf_addf(&s->out, " \"%c\" ", IMAP_SEPARATOR);
	imap_format_mailbox(&s->out, e->name);
	if (e->child_subscribed)
		buf_add_text(&s->out, " (CHILDINFO (\"SUBSCRIBED\"))");
	buf_add_text(&s->out, "\r\n");
}

/* count_recent - messages told to no session yet */
static int
count_recent(struct imap_session *s, const struct mailbox_info *info,
    uint32_t *ret_count)
{
	struct message_meta *metas = ARENA_ARRAY(&s->arena,
			    struct message_meta, SESSION_BATCH);
	uint32_t	from = session_first_unclaimed(s->setup.shared,
			    info->id, info->recent_uid), count = 0;
	size_t		n;
	int		r;

	while (from < info->uidnext) {
		r = message_fetch(s->account, info->id, from, UINT32_MAX,
		    metas, SESSION_BATCH, &n);
		if (r < 0)
			return r;
		count += (uint32_t)n;
		if (n < SESSION_BATCH || metas[n - 1].uid == UINT32_MAX)
			break;
		from = metas[n - 1].uid + 1;
	}
	*ret_count = count;
	return 0;
}

/* status_value - of one item */
static int
status_value(struct imap_session *s, const struct mailbox_info *info,
    uint32_t item, uint64_t *ret_value)
{
	uint32_t	recent = 0;
	int		r = 0;

	switch (item) {
	case IMAP_STATUS_MESSAGES:
		*ret_value = info->total;
		break;
	case IMAP_STATUS_RECENT:
		r = count_recent(s, info, &recent);
		*ret_value = recent;
		break;
	case IMAP_STATUS_UIDNEXT:
		*ret_value = info->uidnext;
		break;
	case IMAP_STATUS_UIDVALIDITY:
		*ret_value = info->uidvalidity;
		break;
	case IMAP_STATUS_UNSEEN:
		*ret_value = info->unseen;
		break;
	case IMAP_STATUS_SIZE:
		*ret_value = info->size;
		break;
	default:
		*ret_value = info->deleted;
		break;
	}
	return r;
}

/* put_status - "* STATUS name (MESSAGES 1 ...)" */
static int
put_status(struct imap_session *s, const struct mailbox_info *info,
    uint32_t items)
{
	uint64_t	value;
	bool		first = true;
	int		r;

	buf_add_text(&s->out, "* STATUS ");
	imap_format_mailbox(&s->out, info->path);
	buf_add_text(&s->out, " (");
	for (uint32_t bit = 1; bit <= items; bit <<= 1) {
		if ((items & bit) == 0)
			continue;
		if ((r = status_value(s, info, bit, &value)) < 0)
			return r;
		if (!first)
			buf_add_byte(&s->out, ' ');
		first = false;
		buf_add(&s->out, imap_status_name(bit));
		buf_addf(&s->out, " %llu", (unsigned long long)value);
	}
	buf_add_text(&s->out, ")\r\n");
	return 0;
}

/* session_status - STATUS */
int
session_status(struct task *t, struct imap_session *s)
{
	struct mailbox_info info;
	size_t	start = s->out.len;
	int	r;

	(void)t;
	r = mailbox_find(s->account, s->command.mailbox.name, &s->arena,
	    &info);
	if (r == 0 && info.is_noselect)
		r = -ENOENT;
	if (r == 0)
		r = put_status(s, &info, s->command.status.items);
	if (r == 0)
		return 0;
	buf_truncate(&s->out, start);
	return session_failed(s, r, "NONEXISTENT");
}

/* the account's names */
struct names {
	struct account		*account;
	struct arena		*arena;
	struct mailbox_info	*infos;		/* INBOX first, then by path */
	size_t			info_count;
	struct hash		by_path;	/* of the same */
	struct slice		*subscribed;	/* by bytes */
	size_t			subscribed_count;
};

/* by_bytes - order of slices for qsort */
static int
by_bytes(const void *a, const void *b)
{
	return slice_compare(*(const struct slice *)a,
	    *(const struct slice *)b);
}

/* names_job - a work item: read them; by_path is to be freed */
static int
names_job(void *arg)
{
	struct names	*n = arg;
	int		r;

	r = mailbox_list(n->account, n->arena, &n->infos, &n->info_count);
	if (r == 0)
		r = mailbox_list_subscribed(n->account, n->arena,
		    &n->subscribed, &n->subscribed_count);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n->info_count; i++)
		(void)hash_put(&n->by_path, n->infos[i].path, &n->infos[i]);
	if (n->subscribed_count > 0)
		qsort(n->subscribed, n->subscribed_count,
		    sizeof(n->subscribed[0]), by_bytes);
	return 0;
}

/* find_subscribed - the first subscribed name that is not before this one */
static size_t
find_subscribed(const struct names *n, struct slice name)
{
	size_t	low = 0, high = n->subscribed_count;

	while (low < high) {
		size_t	mid = low + (high - low) / 2;

		if (slice_compare(n->subscribed[mid], name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* is_subscribed - is that very name? */
static bool
is_subscribed(const struct names *n, struct slice name)
{
	size_t	i = find_subscribed(n, name);

	return i < n->subscribed_count && slice_equal(n->subscribed[i], name);
}

/* has_subscribed_child - is a name below subscribed that the patterns do not
 * show by itself? (RFC 5258 3.5) */
static bool
has_subscribed_child(struct imap_session *s, const struct names *n,
    struct slice name)
{
	struct slice	prefix = arena_printf(&s->arena, "%.*s%c",
			    SLICE_ARG(name), IMAP_SEPARATOR);

	for (size_t i = find_subscribed(n, prefix); i < n->subscribed_count &&
	    slice_has_prefix(n->subscribed[i], prefix); i++)
		if (!matches(s, n->subscribed[i]))
			return true;
	return false;
}

/* put_entry - a name, and its status if that was asked for */
static int
put_entry(struct task *t, struct imap_session *s, const struct list_entry *e)
{
	const struct imap_list *l = &s->command.list;
	int	r;

	put_name(s, e);
	if ((l->want & IMAP_LIST_STATUS) != 0 && e->info != NULL &&
	    !e->info->is_noselect &&
	    (r = put_status(s, e->info, l->status)) < 0)
		return session_failed(s, r, NULL);
	return session_put(t, s);
}

/* is_wanted - does the mailbox pass the selection options? */
static bool
is_wanted(const struct imap_list *l, const struct mailbox_info *info)
{
	return (l->select & IMAP_LIST_SPECIAL_USE) == 0 ||
	    mailbox_role_imap(info->role) != NULL;
}

/* list_mailboxes - LIST without SUBSCRIBED */
static int
list_mailboxes(struct task *t, struct imap_session *s, const struct names *n)
{
	const struct imap_list *l = &s->command.list;
	int	r = 0;

	for (size_t i = 0; i < n->info_count && r == 0; i++) {
		const struct mailbox_info *info = &n->infos[i];
		struct list_entry e = { info->path, info,
			info->is_subscribed, false };

		if (is_wanted(l, info) && matches(s, info->path))
			r = put_entry(t, s, &e);
		if (r == 0 && i % NAMES_AT_ONCE == NAMES_AT_ONCE - 1)
			r = task_yield(t);
	}
	return r;
}

/* parent_shown - the name at the level where the pattern stops: "%" shows a
 * level whose children are subscribed (RFC 3501 6.3.9). Empty if none. */
static struct slice
parent_shown(struct imap_session *s, struct slice name)
{
	struct slice	above = name;
	size_t		slash;

	while ((slash = slice_find_last(above, IMAP_SEPARATOR)) !=
	    SLICE_NONE) {
		above = slice_sub(above, 0, slash);
		if (matches(s, above))
			return above;
	}
	return SLICE_EMPTY;
}

/* list_above - names that are shown for what is subscribed below them */
static int
list_above(struct task *t, struct imap_session *s, const struct names *n,
    struct slice name, struct slice *last)
{
	struct slice	above = parent_shown(s, name);
	struct list_entry e = { above, NULL, false, false };

	/* names are sorted, so equal ones follow each other */
	if (above.len == 0 || slice_equal(above, *last) ||
	    is_subscribed(n, above))	/* then it shows itself */
		return 0;
	*last = above;
	if (s->command.id == IMAP_CMD_LIST) {
		e.info = hash_get(&n->by_path, above);
		e.child_subscribed = true;
	}
	return put_entry(t, s, &e);
}

/* list_subscribed - LSUB, and LIST (SUBSCRIBED) */
static int
list_subscribed(struct task *t, struct imap_session *s, const struct names *n)
{
	const struct imap_list *l = &s->command.list;
	bool		recursive = s->command.id == IMAP_CMD_LSUB ||
			    (l->select & IMAP_LIST_RECURSIVEMATCH) != 0;
	struct slice	last = SLICE_EMPTY;
	int		r = 0;

	for (size_t i = 0; i < n->subscribed_count && r == 0; i++) {
		struct slice name = n->subscribed[i];
		struct list_entry e = { name, hash_get(&n->by_path, name),
			true, false };

		if (matches(s, name)) {
			e.child_subscribed = s->command.id == IMAP_CMD_LIST &&
			    recursive && has_subscribed_child(s, n, name);
			if (e.info == NULL ? (l->select &
			    IMAP_LIST_SPECIAL_USE) == 0 : is_wanted(l, e.info))
				r = put_entry(t, s, &e);
		} else if (recursive) {
			r = list_above(t, s, n, name, &last);
		}
		if (r == 0 && i % NAMES_AT_ONCE == NAMES_AT_ONCE - 1)
			r = task_yield(t);
	}
	return r;
}

/* session_list - LIST and LSUB */
int
session_list(struct task *t, struct imap_session *s)
{
	const struct imap_list *l = &s->command.list;
	struct names	n = { .account = s->account, .arena = &s->arena };
	int		r;

	/* an empty pattern asks for the separator only */
	if (!l->extended && l->patterns[0].len == 0) {
		buf_addf(&s->out, "* %s (\\Noselect) \"%c\" \"\"\r\n",
		    imap_command_name(s->command.id), IMAP_SEPARATOR);
		return 0;
	}
	apply_reference(s);
	if ((r = work_run(t, names_job, &n)) < 0)
		r = session_failed(s, r, NULL);
	else if (s->command.id == IMAP_CMD_LSUB ||
	    (l->select & IMAP_LIST_SUBSCRIBED) != 0)
		r = list_subscribed(t, s, &n);
	else
		r = list_mailboxes(t, s, &n);
	hash_free(&n.by_path);
	return r;
}
