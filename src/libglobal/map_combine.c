/* SPDX-License-Identifier: ISC */
/* Tables made of tables: unionmap, pipemap, proxy; and randmap, of texts. */
#include <stdlib.h>
#include <sys/random.h>

#include "libglobal/map.h"
#include "libglobal/map_impl.h"
#include "libutil/alloc.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/conf.h"

#define COMBINE_MAX	64		/* tables in one */
#define RANDMAP_MAX	1024		/* texts in one */

struct combined {
	struct map	*map[COMBINE_MAX];
	size_t		 count;
};

/* combine_close - release all tables */
static void
combine_close(struct map_table *t)
{
	struct combined *c = t->state;

	for (size_t i = 0; i < c->count; i++)
		map_close(&c->map[i]);
	free(c);
}

/* combine_inner - walk them */
static struct map *
combine_inner(struct map_table *t, size_t i)
{
	struct combined *c = t->state;

	return i < c->count ? c->map[i] : NULL;
}

/* union_get - what all tables have */
static int
union_get(struct map_table *t, struct slice key, struct buf *value)
{
	struct combined *c = t->state;
	size_t start = value->len, before;
	int r;

	for (size_t i = 0; i < c->count; i++) {
		before = value->len;
		if (value->len > start)
			buf_add_byte(value, ',');
		r = map_get(c->map[i], key, value);
		if (r == -ENOENT)
			buf_truncate(value, before);
		else if (r < 0)
			return r;
	}
	return value->len == start ? -ENOENT : 0;
}

/* pipe_get - the text of one is the key of the next */
static int
pipe_get(struct map_table *t, struct slice key, struct buf *value)
{
	struct combined *c = t->state;
	struct buf last = BUF_INIT_MAX(MAP_VALUE_MAX);
	struct buf next = BUF_INIT_MAX(MAP_VALUE_MAX), swap;
	int r = 0;

	buf_add(&last, key);
	for (size_t i = 0; i < c->count; i++) {
		buf_reset(&next);
		if ((r = map_get(c->map[i], buf_slice(&last), &next)) < 0)
			goto out;
		swap = last;
		last = next;
		next = swap;
	}
	buf_add(value, buf_slice(&last));
out:
	buf_free(&last);
	buf_free(&next);
	return r;
}

/* open_tables - the tables between the braces */
static int
open_tables(struct map_table *t, const struct map_args *args, struct diag *d)
{
	struct slice rest = map_unbrace(args->name), word;
	struct combined *c = NEW(struct combined);
	unsigned flags = args->flags & ~(unsigned)MAP_TOLERATE;
	int r;

	t->state = c;
	while ((r = conf_list_next(&rest, &word)) > 0) {
		if (c->count == COMBINE_MAX)
			return diag_set(d, 0, 0, "%s: more than %d tables",
			    args->type->name, COMBINE_MAX);
		r = map_open_inner(word, flags, args->depth + 1, d,
		    &c->map[c->count]);
		if (r < 0)
			return r;
		/* one pattern table makes parts of a string useless */
		t->is_pattern |= map_is_pattern(c->map[c->count]);
		t->blocks |= map_blocks(c->map[c->count++]);
	}
	if (r < 0)
		return diag_set(d, 0, 0, "%s: a brace has no partner",
		    args->type->name);
	if (c->count == 0)
		return diag_set(d, 0, 0, "%s: names no table; write "
		    "%s:{type:name, type:name}", args->type->name,
		    args->type->name);
	return 0;
}

/* map_open_unionmap - unionmap:{type:name, ...} */
int
map_open_unionmap(struct map_table *t, const struct map_args *args,
    struct diag *d)
{
	static const struct map_table_ops ops = {
		union_get, NULL, combine_inner, combine_close
	};

	t->ops = &ops;
	return open_tables(t, args, d);
}

/* map_open_pipemap - pipemap:{type:name, ...} */
int
map_open_pipemap(struct map_table *t, const struct map_args *args,
    struct diag *d)
{
	static const struct map_table_ops ops = {
		pipe_get, NULL, combine_inner, combine_close
	};

	t->ops = &ops;
	return open_tables(t, args, d);
}

/* proxy_get - as the table behind it */
static int
proxy_get(struct map_table *t, struct slice key, struct buf *value)
{
	return map_get(((struct combined *)t->state)->map[0], key, value);
}

/* proxy_each - as the table behind it */
static int
proxy_each(struct map_table *t, map_each_fn *each, void *arg)
{
	return map_each(((struct combined *)t->state)->map[0], each, arg);
}

/* map_open_proxy - proxy:type:name */
int
map_open_proxy(struct map_table *t, const struct map_args *args,
    struct diag *d)
{
	static const struct map_table_ops ops = {
		proxy_get, proxy_each, combine_inner, combine_close
	};
	struct combined *c = NEW(struct combined);
	int r;

	t->state = c;
	t->ops = &ops;
	r = map_open_inner(args->name, args->flags & ~(unsigned)MAP_TOLERATE,
	    args->depth + 1, d, &c->map[0]);
	if (r < 0)
		return r;
	c->count = 1;
	t->is_pattern = map_is_pattern(c->map[0]);
	t->blocks = map_blocks(c->map[0]);
	return 0;
}

struct texts {
	struct arena	arena;
	struct slice	text[RANDMAP_MAX];
	size_t		count;
};

/* rand_close - release the texts */
static void
rand_close(struct map_table *t)
{
	struct texts *x = t->state;

	arena_free(&x->arena);
	free(x);
}

/* rand_get - one of them */
static int
rand_get(struct map_table *t, struct slice key, struct buf *value)
{
	const struct texts *x = t->state;
	uint64_t dice;

	(void)key;
	if (getrandom(&dice, sizeof(dice), 0) != sizeof(dice))
		return -EIO;
	buf_add(value, x->text[dice % x->count]);
	return 0;
}

/* map_open_randmap - randmap:{text, ...} */
int
map_open_randmap(struct map_table *t, const struct map_args *args,
    struct diag *d)
{
	static const struct map_table_ops ops = {
		rand_get, NULL, NULL, rand_close
	};
	struct slice rest = map_unbrace(args->name), word;
	struct texts *x = NEW(struct texts);
	int r;

	t->state = x;
	t->ops = &ops;
	while ((r = conf_list_next(&rest, &word)) > 0) {
		if (x->count == RANDMAP_MAX)
			return diag_set(d, 0, 0, "randmap: more than %d texts",
			    RANDMAP_MAX);
		x->text[x->count++] = arena_dup(&x->arena, map_unbrace(word));
	}
	if (r < 0)
		return diag_set(d, 0, 0, "randmap: a brace has no partner");
	if (x->count == 0)
		return diag_set(d, 0, 0, "randmap: names no text; write "
		    "randmap:{text, text}");
	return 0;
}
