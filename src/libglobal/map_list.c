/* SPDX-License-Identifier: ISC */
/* Lists of tables. */
#include <stdlib.h>

#include "libglobal/map.h"
#include "libglobal/map_impl.h"
#include "libutil/alloc.h"
#include "libutil/conf.h"
#include "libutil/diag.h"

#define MAP_LIST_MAX	256		/* tables in one list */

struct map_list {
	size_t		 count;
	struct map	*map[MAP_LIST_MAX];
};

/* map_unbrace - what is between { and } */
struct slice
map_unbrace(struct slice s)
{
	struct slice inside;

	s = slice_trim(s);
	return conf_list_group(s, &inside) ? inside : s;
}

/* map_list_open - open all tables of a list */
int
map_list_open(struct slice text, unsigned flags, struct diag *d,
    struct map_list **ret_list)
{
	struct map_list *l = NEW(struct map_list);
	struct slice rest = text, word;
	int r;

	while ((r = conf_list_next(&rest, &word)) > 0) {
		if (l->count == MAP_LIST_MAX) {
			r = diag_set(d, 0, 0, "more than %d tables in one list",
			    MAP_LIST_MAX);
			goto out;
		}
		r = map_open(word, flags, d, &l->map[l->count]);
		if (r < 0)
			goto out;
		l->count++;
	}
	if (r < 0)
		(void)diag_set(d, 0, 0, "\"%.*s\": a brace has no partner",
		    SLICE_ARG(text));
out:
	if (r < 0) {
		map_list_close(&l);
		return r;
	}
	*ret_list = l;
	return 0;
}

/* map_list_close - release a list and its tables */
void
map_list_close(struct map_list **l)
{
	if (*l == NULL)
		return;
	for (size_t i = 0; i < (*l)->count; i++)
		map_close(&(*l)->map[i]);
	free(*l);
	*l = NULL;
}

/* map_list_is_empty - are there no tables? */
bool
map_list_is_empty(const struct map_list *l)
{
	return l == NULL || l->count == 0;
}

/* map_list_get - ask the tables in order */
int
map_list_get(struct map_list *l, enum map_list_use use, struct slice key,
    struct buf *value)
{
	int r;

	for (size_t i = 0; l != NULL && i < l->count; i++) {
		if (use == MAP_LIST_FIXED_ONLY && map_is_pattern(l->map[i]))
			continue;
		if ((r = map_get(l->map[i], key, value)) != -ENOENT)
			return r;
	}
	return -ENOENT;
}

/* map_list_refresh - open again what changed */
int
map_list_refresh(struct map_list *l, struct diag *d)
{
	int r, again = 0, error = 0;

	for (size_t i = 0; l != NULL && i < l->count; i++) {
		r = map_refresh(l->map[i], d);
		if (r > 0)
			again += r;
		else if (error == 0)
			error = r;
	}
	return error < 0 ? error : again;
}

/* map_list_blocks - may a lookup wait? */
bool
map_list_blocks(const struct map_list *l)
{
	for (size_t i = 0; l != NULL && i < l->count; i++)
		if (map_blocks(l->map[i]))
			return true;
	return false;
}

/* map_list_changed - has a table changed? */
bool
map_list_changed(struct map_list *l)
{
	for (size_t i = 0; l != NULL && i < l->count; i++)
		if (map_changed(l->map[i]))
			return true;
	return false;
}

/* map_list_at - walk the tables */
struct map *
map_list_at(struct map_list *l, size_t i)
{
	return l == NULL || i >= l->count ? NULL : l->map[i];
}
