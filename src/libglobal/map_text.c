/* SPDX-License-Identifier: ISC */
/* Texts live in one arena; the hash table points at them. */
#include "libglobal/map_text.h"

#include <stdlib.h>

#include "libglobal/map.h"
#include "libglobal/map_impl.h"
#include "libglobal/map_source.h"
#include "libutil/alloc.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/hash.h"

struct text_table {
	struct hash	hash;		/* key to struct slice, in the arena */
	struct arena	arena;
};

/* text_get - look one key up */
static int
text_get(struct map_table *t, struct slice key, struct buf *value)
{
	const struct text_table *tt = t->state;
	const struct slice *found = hash_get(&tt->hash, key);

	if (found == NULL)
		return -ENOENT;
	buf_add(value, *found);
	return 0;
}

/* text_each - walk all keys */
static int
text_each(struct map_table *t, map_each_fn *each, void *arg)
{
	const struct text_table *tt = t->state;
	struct hash_iter i = { 0, NULL };
	struct slice key;
	void *value;
	int r = 0;

	while (r == 0 && hash_next(&tt->hash, &i, &key, &value))
		r = each(arg, key, *(struct slice *)value);
	return r;
}

/* text_close - release keys and texts */
static void
text_close(struct map_table *t)
{
	struct text_table *tt = t->state;

	hash_free(&tt->hash);
	arena_free(&tt->arena);
	free(tt);
}

/* map_text_init - an empty table in memory */
void
map_text_init(struct map_table *t)
{
	static const struct map_table_ops ops = {
		text_get, text_each, NULL, text_close
	};

	t->state = NEW(struct text_table);
	t->ops = &ops;
}

/* map_text_add - one key and its text, unless the key is there */
bool
map_text_add(struct map_table *t, struct slice key, struct slice value)
{
	struct text_table *tt = t->state;
	struct slice *copy;

	if (hash_get(&tt->hash, key) != NULL)
		return false;
	copy = ARENA_NEW(&tt->arena, struct slice);
	*copy = arena_dup(&tt->arena, value);
	(void)hash_put(&tt->hash, key, copy);	/* was not there */
	return true;
}

/* add_line - one line of a texthash file */
static void
add_line(struct map_table *t, const char *path, unsigned flags,
    struct slice text, uint32_t line)
{
	char folded[MAP_KEY_MAX];
	struct slice key, value;
	const char *why;

	if (map_source_split(text, &key, &value, &why) < 0) {
		map_note(t, path, line, "%s; the line is ignored", why);
		return;
	}
	if ((flags & MAP_NO_FOLD) == 0)
		key = map_fold(key, folded);
	if (!map_text_add(t, key, value))
		map_note(t, path, line, "the key \"%.*s\" was there before; "
		    "the first counts", SLICE_ARG(key));
}

/* map_open_texthash - texthash:/file */
int
map_open_texthash(struct map_table *t, const struct map_args *args,
    struct diag *d)
{
	struct map_source s = MAP_SOURCE_INIT;
	char *path = slice_dup(args->name);
	struct slice text;
	struct stat st;
	uint32_t line;
	int r;

	map_text_init(t);
	if ((r = map_source_read(&s, path, &st, d)) < 0)
		goto out;
	map_watch(t, path, &st);
	while (map_source_next(&s, &text, &line))
		add_line(t, path, args->flags, text, line);
out:
	map_source_free(&s);
	free(path);
	return r;
}
