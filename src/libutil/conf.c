/* SPDX-License-Identifier: ISC */
/*
 * A layer is a hash table of entries in an arena; a definition that overrules
 * an earlier one in the same layer takes its place in the table and points at
 * it. Expansion remembers the chain of names it is in, so that a value which
 * leads back to itself is named instead of running into the depth limit.
 */
#include "libutil/conf.h"

#include <stdio.h>
#include <stdlib.h>

#include "libutil/alloc.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/conf_lines.h"
#include "libutil/diag.h"
#include "libutil/hash.h"
#include "libutil/macro.h"

struct slot {
	struct conf_entry	*entry;		/* the one that counts */
};

struct conf {
	const struct conf	*under;
	struct arena		 arena;
	struct hash		 by_name;	/* struct slot */
	struct slot		**order;	/* of first definition */
	size_t			 count;
};

/* conf_new - an empty layer */
struct conf *
conf_new(const struct conf *under)
{
	struct conf *c = NEW(struct conf);

	c->under = under;
	return c;
}

/* conf_free - release a layer, not what is under it */
void
conf_free(struct conf **c)
{
	if (*c == NULL)
		return;
	hash_free(&(*c)->by_name);
	free((*c)->order);
	arena_free(&(*c)->arena);
	free(*c);
	*c = NULL;
}

/* conf_under - the layer below */
const struct conf *
conf_under(const struct conf *c)
{
	return c->under;
}

/* slot_of - the place of a name in a layer, made if need be */
static struct slot *
slot_of(struct conf *c, struct slice name)
{
	struct slot *slot = hash_get(&c->by_name, name);

	if (slot != NULL)
		return slot;
	slot = ARENA_NEW(&c->arena, struct slot);
	(void)hash_put(&c->by_name, name, slot);	/* was not there */
	if ((c->count & (c->count - 1)) == 0)		/* 0, 1, 2, 4, ... */
		c->order = xreallocarray(c->order,
		    c->count == 0 ? 1 : c->count * 2, sizeof(struct slot *));
	c->order[c->count++] = slot;
	return slot;
}

/* put - a definition; name, value and file live as long as the layer */
static void
put(struct conf *c, const struct conf_entry *definition)
{
	struct slot		*slot = slot_of(c, definition->name);
	struct conf_entry	*e = ARENA_NEW(&c->arena, struct conf_entry);

	*e = *definition;
	e->earlier = slot->entry;
	slot->entry = e;
}

/* conf_put - set one name */
void
conf_put(struct conf *c, struct slice name, struct slice value,
    const char *file, uint32_t line)
{
	put(c, &(struct conf_entry){
	    .name = arena_dup(&c->arena, name),
	    .value = arena_dup(&c->arena, value),
	    .file = arena_dup(&c->arena, slice_of(file)),
	    .line = line });
}

/* check_lines - is every line of a main.cf a definition? */
static int
check_lines(struct slice text, struct diag *diag)
{
	struct conf_lines	lines = conf_lines_over(text);
	struct conf_piece	piece;
	struct buf		joined = BUF_INIT;
	struct slice		name, value;
	int			r = 0;

	while (r == 0 && conf_lines_next(&lines, &piece)) {
		if (!piece.is_logical)
			continue;
		buf_reset(&joined);
		conf_join(&joined, piece.raw);
		r = conf_split(buf_slice(&joined), piece.line, &name, &value,
		    diag);
	}
	buf_free(&joined);
	return r;
}

/* conf_read - all definitions of a main.cf */
int
conf_read(struct conf *c, struct slice text, const char *file,
    struct diag *diag)
{
	struct conf_lines	lines = conf_lines_over(text);
	struct conf_piece	piece;
	struct buf		joined = BUF_INIT;
	struct conf_entry	e = { 0 };
	int			r;

	if (text.len > CONF_TEXT_MAX)
		r = diag_set(diag, 0, 0, "larger than %zu bytes",
		    CONF_TEXT_MAX);
	else
		r = check_lines(text, diag);
	if (r < 0) {
		diag_file(diag, file);
		return r;
	}
	e.file = arena_dup(&c->arena, slice_of(file));
	while (conf_lines_next(&lines, &piece)) {
		if (!piece.is_logical)
			continue;
		buf_reset(&joined);
		conf_join(&joined, piece.raw);
		e.line = piece.line;
		r = conf_split(arena_dup(&c->arena, buf_slice(&joined)), e.line,
		    &e.name, &e.value, NULL);
		if (r == 0)		/* always: check_lines took it */
			put(c, &e);
	}
	buf_free(&joined);
	return 0;
}

/* conf_override - the argument of an -o */
int
conf_override(struct conf *c, struct slice arg, const char *file, uint32_t line,
    struct diag *diag)
{
	struct slice	inside, name, value;
	int		r;

	if (!conf_list_group(arg, &inside))
		inside = arg;
	if ((r = conf_split(inside, line, &name, &value, diag)) < 0) {
		diag_file(diag, file);
		return r;
	}
	conf_put(c, name, value, file, line);
	return 0;
}

/* conf_find_here - the entry that counts in this layer */
const struct conf_entry *
conf_find_here(const struct conf *c, struct slice name)
{
	const struct slot *slot = hash_get(&c->by_name, name);

	return slot == NULL ? NULL : slot->entry;
}

/* conf_find - the entry that counts */
const struct conf_entry *
conf_find(const struct conf *c, struct slice name)
{
	const struct conf_entry *e = NULL;

	for (; c != NULL && e == NULL; c = c->under)
		e = conf_find_here(c, name);
	return e;
}

/* conf_each - walk a layer */
const struct conf_entry *
conf_each(const struct conf *c, size_t *at)
{
	return *at < c->count ? c->order[(*at)++]->entry : NULL;
}

/* expansion */

struct frame {				/* a value that is being expanded */
	struct slice		 name;
	const struct frame	*outer;
};

struct expansion {
	const struct conf	*conf;
	const struct frame	*innermost;
	struct diag		 found;		/* before it has its place */
	bool			 located;
};

/* locate - say in which definition the finding is */
static void
locate(struct expansion *x, const struct conf_entry *e)
{
	struct diag	here = DIAG_INIT;

	if (x->located)
		return;
	x->located = true;
	if (e->file.len > 0)
		(void)snprintf(here.file, sizeof(here.file), "%.*s",
		    SLICE_ARG(e->file));
	(void)diag_set(&here, e->line, 0, "%.*s: %.400s", SLICE_ARG(e->name),
	    x->found.text);
	x->found = here;
}

/* expand_entry - what a definition gives */
static int
expand_entry(struct macro *m, const struct conf_entry *e, struct buf *out)
{
	struct expansion *x = m->arg;
	struct frame	  frame = { e->name, x->innermost };
	int		  r;

	for (const struct frame *f = x->innermost; f != NULL; f = f->outer)
		if (slice_equal(f->name, e->name))
			return diag_set(m->diag, 0, 0,
			    "\"$%.*s\" leads back to itself",
			    SLICE_ARG(e->name));
	x->innermost = &frame;
	if ((r = macro_expand(m, e->value, out)) < 0)
		locate(x, e);
	x->innermost = frame.outer;
	return r;
}

/* value_of - what a name stands for: nothing, if it is undefined */
static int
value_of(struct macro *m, struct slice name, struct buf *out)
{
	struct expansion	*x = m->arg;
	const struct conf_entry	*e = conf_find(x->conf, name);

	return e == NULL ? 0 : expand_entry(m, e, out);
}

/* is_set - is the name defined, and not as empty? */
static bool
is_set(struct macro *m, struct slice name)
{
	struct expansion	*x = m->arg;
	const struct conf_entry	*e = conf_find(x->conf, name);

	return e != NULL && e->value.len > 0;
}

/* report - hand a finding to the caller */
static void
report(struct diag *diag, const struct diag *found)
{
	diag_file(diag, found->file);
	(void)diag_set(diag, found->line, 0, "%s", found->text);
}

/* conf_get - the expanded value of a name */
int
conf_get(const struct conf *c, struct slice name, struct buf *out,
    struct diag *diag)
{
	const struct conf_entry	*e = conf_find(c, name);
	struct expansion	 x = { .conf = c };
	struct macro		 m = { .value = value_of, .is_set = is_set,
				    .arg = &x, .diag = &x.found };
	struct buf		 value = BUF_INIT_MAX(MACRO_TEXT_MAX + 1);
	int			 r;

	if (e == NULL)
		return -ENOENT;
	if ((r = expand_entry(&m, e, &value)) < 0)
		report(diag, &x.found);
	else
		buf_add(out, buf_slice(&value));
	buf_free(&value);
	return r;
}

/* conf_expand - the expansion of a text */
int
conf_expand(const struct conf *c, struct slice text, struct buf *out,
    struct diag *diag)
{
	struct expansion	x = { .conf = c };
	struct macro		m = { .value = value_of, .is_set = is_set,
				    .arg = &x, .diag = &x.found };
	struct buf		value = BUF_INIT_MAX(MACRO_TEXT_MAX + 1);
	int			r;

	if ((r = macro_expand(&m, text, &value)) < 0)
		report(diag, &x.found);
	else
		buf_add(out, buf_slice(&value));
	buf_free(&value);
	return r;
}

struct references {
	void	(*found)(void *arg, struct slice name);
	void	*arg;
};

/* note_name - tell of a name and put nothing in its place */
static int
note_name(struct macro *m, struct slice name, struct buf *out)
{
	struct references *refs = m->arg;

	(void)out;
	refs->found(refs->arg, name);
	return 0;
}

/* conf_references - the names that a value refers to */
int
conf_references(struct slice value, void (*found)(void *arg, struct slice name),
    void *arg, struct diag *diag)
{
	struct references	refs = { found, arg };
	struct macro		m = { .value = note_name, .arg = &refs,
				    .diag = diag, .scan = true };
	struct buf		out = BUF_INIT;
	int			r = macro_expand(&m, value, &out);

	buf_free(&out);
	return r;
}
