/* SPDX-License-Identifier: ISC */
/* Reading mailboxes: one, by id or path or role, and all as a tree. */
#include "libstore/mailboxes.h"

#include "libstore/body.h"
#include "libutil/alloc.h"

/* info_of - what the caller sees of a record; no path yet */
static struct mailbox_info
info_of(uint32_t id, const struct mailbox_record *rec)
{
	return (struct mailbox_info){
		.id = id,
		.parent = rec->parent,
		.name = rec->name,
		.role = (enum mailbox_role)rec->role,
		.is_subscribed = (rec->attributes & MAILBOX_SUBSCRIBED) != 0,
		.is_noselect = (rec->attributes & MAILBOX_NOSELECT) != 0,
		.sort_order = rec->sort_order,
		.uidvalidity = rec->uidvalidity,
		.uidnext = rec->uidnext,
		.recent_uid = rec->recent_uid,
		.highest_modseq = rec->highest_modseq,
		.created_modseq = rec->created_modseq,
		.changed_modseq = rec->changed_modseq,
		.keywords = rec->keywords,
		.total = rec->total,
		.unseen = rec->unseen,
		.deleted = rec->deleted,
		.size = rec->size,
	};
}

/* get_info - one mailbox inside a transaction */
static int
get_info(struct txn *t, uint32_t id, struct arena *arena,
    struct mailbox_info *ret_info)
{
	struct buf path = BUF_INIT;
	struct mailbox_slot *slot;
	struct mailbox_info info;
	int	r;

	if ((r = txn_mailbox(t, id, &slot)) < 0)
		return r;
	info = info_of(id, &slot->rec);
	if ((r = mailboxes_has_child(t, id)) < 0)
		return r;
	info.has_children = r == 1;
	r = mailboxes_path(t, id, &path);
	if (r == 0) {
		info.path = arena_dup(arena, buf_slice(&path));
		info.name = slice_from(info.path,
		    info.path.len - slot->rec.name.len);
		*ret_info = info;
	}
	buf_free(&path);
	return r;
}

/* mailbox_get - by id */
int
mailbox_get(struct account *a, uint32_t id, struct arena *arena,
    struct mailbox_info *ret_info)
{
	struct txn *t = NULL;
	int	r = txn_begin(a, false, &t);

	if (r == 0)
		r = get_info(t, id, arena, ret_info);
	txn_abort(&t);
	return r;
}

/* mailbox_find - by path */
int
mailbox_find(struct account *a, struct slice path, struct arena *arena,
    struct mailbox_info *ret_info)
{
	struct txn *t = NULL;
	uint32_t id;
	int	r;

	if ((r = mailbox_path_check(path)) < 0)
		return r;
	if ((r = txn_begin(a, false, &t)) == 0 &&
	    (r = mailboxes_find(t, path, &id)) == 0)
		r = get_info(t, id, arena, ret_info);
	txn_abort(&t);
	return r;
}

/* list_records - every living mailbox by id, texts in the arena */
static int
list_records(struct txn *t, struct arena *arena, struct mailbox_info **ret_list,
    size_t *ret_count)
{
	struct mailbox_info *list = NULL;
	struct backend_range *range;
	struct slice key, value;
	struct mailbox_record rec;
	size_t	n = 0, cap = 0;
	uint32_t id;
	struct key k;
	int	r;

	key_1(&k, KEY_MAILBOX);
	if ((r = txn_range(t, &k, NULL, &range)) < 0)
		return r;
	while ((r = backend_next(range, &key, &value)) != 0) {
		/* one damaged record hides one mailbox, not all */
		if (r == -EBADMSG)
			continue;
		if (r < 0 || (r = key_parse_u32(key, KEY_MAILBOX, &id)) < 0 ||
		    (r = mailbox_record_decode(value, &rec)) < 0)
			break;
		if ((rec.attributes & MAILBOX_DYING) != 0)
			continue;
		if (n == cap) {
			cap = cap == 0 ? 32 : 2 * cap;
			list = xreallocarray(list, cap, sizeof(list[0]));
		}
		rec.name = arena_dup(arena, rec.name);
		list[n++] = info_of(id, &rec);
	}
	backend_range_end(&range);
	if (r < 0) {
		free(list);
		return r;
	}
	*ret_list = list;
	*ret_count = n;
	return 0;
}

/* list_by_id - in a list that is sorted by id; NULL */
static struct mailbox_info *
list_by_id(struct mailbox_info *list, size_t n, uint32_t id)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (list[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n && list[low].id == id ? &list[low] : NULL;
}

/* list_path - its path, after its parents'; one whose parents are lost or go
 * round in a circle is shown at the top */
static void
list_path(struct mailbox_info *list, size_t n, struct mailbox_info *m,
    struct arena *arena, unsigned depth)
{
	struct mailbox_info *parent = list_by_id(list, n, m->parent);

	if (m->path.len > 0)
		return;
	if (parent == NULL || parent == m || depth == MAILBOX_DEPTH_MAX) {
		m->path = m->name;
		return;
	}
	list_path(list, n, parent, arena, depth + 1);
	if (m->path.len > 0)
		return;
	parent->has_children = true;
	m->path = arena_printf(arena, "%.*s/%.*s", SLICE_ARG(parent->path),
	    SLICE_ARG(m->name));
	m->name = slice_from(m->path, m->path.len - m->name.len);
}

/* path_compare - INBOX first, and what is below a mailbox right behind it */
static int
path_compare(struct slice a, struct slice b)
{
	for (size_t i = 0; i < a.len && i < b.len; i++) {
		unsigned char x = (unsigned char)a.data[i];
		unsigned char y = (unsigned char)b.data[i];

		if (x != y)
			return (x == '/' ? 0 : x) - (y == '/' ? 0 : y);
	}
	return (a.len > b.len) - (a.len < b.len);
}

/* path_is_inbox - INBOX or below it */
static bool
path_is_inbox(struct slice path)
{
	return slice_equal(path, S("INBOX")) ||
	    slice_has_prefix(path, S("INBOX/"));
}

static int
info_compare(const void *a, const void *b)
{
	const struct mailbox_info *x = a, *y = b;
	bool	in_x = path_is_inbox(x->path), in_y = path_is_inbox(y->path);

	return in_x != in_y ? in_y - in_x : path_compare(x->path, y->path);
}

static int
slice_sort(const void *a, const void *b)
{
	return path_compare(*(const struct slice *)a,
	    *(const struct slice *)b);
}

/* mailbox_list - all, as a tree */
int
mailbox_list(struct account *a, struct arena *arena,
    struct mailbox_info **ret_list, size_t *ret_count)
{
	struct mailbox_info *list = NULL, *copy;
	struct txn *t = NULL;
	size_t	n = 0;
	int	r;

	if ((r = txn_begin(a, false, &t)) == 0)
		r = list_records(t, arena, &list, &n);
	txn_abort(&t);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		list_path(list, n, &list[i], arena, 0);
	copy = ARENA_ARRAY(arena, struct mailbox_info, n + 1);
	if (n > 0)
		memcpy(copy, list, n * sizeof(copy[0]));
	free(list);
	qsort(copy, n, sizeof(copy[0]), info_compare);
	*ret_list = copy;
	*ret_count = n;
	return 0;
}

/* mailbox_find_role - the first that has it; INBOX mostly is the very first */
int
mailbox_find_role(struct account *a, enum mailbox_role role, uint32_t *ret_id)
{
	struct backend_range *range = NULL;
	struct slice key, value;
	struct mailbox_record rec;
	struct txn *t = NULL;
	struct key k;
	int	r;

	key_1(&k, KEY_MAILBOX);
	if ((r = txn_begin(a, false, &t)) == 0)
		r = txn_range(t, &k, NULL, &range);
	while (r >= 0 && (r = backend_next(range, &key, &value)) != 0) {
		if (r < 0 && r != -EBADMSG)
			break;
		if (r == 1 && mailbox_record_decode(value, &rec) == 0 &&
		    rec.role == role && (rec.attributes &
		    (MAILBOX_DYING | MAILBOX_NOSELECT)) == 0)
			break;
		r = 0;
	}
	if (r == 1)
		r = key_parse_u32(key, KEY_MAILBOX, ret_id);
	else if (r == 0)
		r = -ENOENT;
	backend_range_end(&range);
	txn_abort(&t);
	return r;
}

/* list_absent - the subscribed paths that are no mailbox */
static int
list_absent(struct txn *t, struct arena *arena, struct slice *paths,
    size_t max, size_t *count)
{
	struct backend_range *range;
	struct slice key, value;
	struct key k;
	int	r;

	key_1(&k, KEY_SUBSCRIPTION);
	if ((r = txn_range(t, &k, NULL, &range)) < 0)
		return r;
	while (*count < max && (r = backend_next(range, &key, &value)) != 0) {
		if (r == -EBADMSG)
			continue;
		if (r < 0)
			break;
		paths[(*count)++] = arena_dup(arena, value);
	}
	backend_range_end(&range);
	return r < 0 ? r : 0;
}

/* mailbox_list_subscribed - existing ones and names */
int
mailbox_list_subscribed(struct account *a, struct arena *arena,
    struct slice **ret_paths, size_t *ret_count)
{
	struct mailbox_info *list;
	struct txn *t = NULL;
	struct slice *paths;
	size_t	n, count = 0;
	int	r;

	if ((r = mailbox_list(a, arena, &list, &n)) < 0)
		return r;
	paths = ARENA_ARRAY(arena, struct slice, n + MAILBOXES_MAX);
	for (size_t i = 0; i < n; i++)
		if (list[i].is_subscribed)
			paths[count++] = list[i].path;
	if ((r = txn_begin(a, false, &t)) == 0)
		r = list_absent(t, arena, paths, n + MAILBOXES_MAX, &count);
	txn_abort(&t);
	if (r < 0)
		return r;
	qsort(paths, count, sizeof(paths[0]), slice_sort);
	*ret_paths = paths;
	*ret_count = count;
	return 0;
}
