/* SPDX-License-Identifier: ISC */
/*
 * The names of parameters, of all tables together: which there are, and which
 * one a mistyped one may have meant. "Alike" is the number of letters to
 * insert, drop, change or swap (optimal string alignment).
 */
#include <assert.h>
#include <stdio.h>

#include "libutil/buf.h"
#include "libutil/conf.h"
#include "libutil/diag.h"
#include "libutil/param.h"

#define COMPARED_MAX	64	/* letters of a name that are compared */
#define SUGGESTIONS	3

/* a main.cf name whose items are names of parameters themselves */
#define CLASSES		S("smtpd_restriction_classes")

/* param_registry_add - make a table known */
void
param_registry_add(struct param_registry *reg, const struct param_table *t)
{
	assert(reg->count < COUNT(reg->tables));
	reg->tables[reg->count++] = t;
	for (size_t i = 0; i < t->count; i++) {
		struct slice name = slice_of(t->params[i].name);

		/* the table stays const: nobody writes through the hash */
		if (hash_get(&reg->by_name, name) == NULL)
			(void)hash_put(&reg->by_name, name,
			    (void *)(uintptr_t)&t->params[i]);
	}
}

/* param_registry_free - forget all tables */
void
param_registry_free(struct param_registry *reg)
{
	hash_free(&reg->by_name);
	reg->count = 0;
}

/* is_suffix_of - is it the row of a service's parameter of this name? */
static bool
is_suffix_of(const struct param *p, struct slice name)
{
	return p->name[0] == '_' && name.len > strlen(p->name) &&
	    slice_has_suffix(name, slice_of(p->name));
}

/* param_registry_find - the row of a name */
const struct param *
param_registry_find(const struct param_registry *reg, struct slice name)
{
	const struct param *p = hash_get(&reg->by_name, name);

	if (p != NULL && p->name[0] != '_')
		return p;
	for (size_t t = 0; t < reg->count; t++)
		for (size_t i = 0; i < reg->tables[t]->count; i++)
			if (is_suffix_of(&reg->tables[t]->params[i], name))
				return &reg->tables[t]->params[i];
	return NULL;
}

/* names that look alike */

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

/* distance - how many mistakes lie between two names */
static unsigned
distance(struct slice a, struct slice b)
{
	uint8_t	row[3][COMPARED_MAX + 1];	/* two before, before, this */
	uint8_t	*before2 = row[0], *before = row[1], *now = row[2], *swap;

	a = slice_sub(a, 0, COMPARED_MAX);
	b = slice_sub(b, 0, COMPARED_MAX);
	for (size_t k = 0; k <= b.len; k++)
		before[k] = (uint8_t)k;
	for (size_t i = 1; i <= a.len; i++) {
		now[0] = (uint8_t)i;
		for (size_t k = 1; k <= b.len; k++) {
			bool	 same = a.data[i - 1] == b.data[k - 1];
			unsigned best = min3(before[k] + 1u, now[k - 1] + 1u,
			    before[k - 1] + !same);

			if (i > 1 && k > 1 && a.data[i - 1] == b.data[k - 2] &&
			    a.data[i - 2] == b.data[k - 1])
				best = min3(best, before2[k - 2] + 1u, best);
			now[k] = (uint8_t)best;
		}
		swap = before2;
		before2 = before;
		before = now;
		now = swap;
	}
	return before[b.len];
}

struct suggestions {
	struct slice	name;				/* what was written */
	struct slice	best[SUGGESTIONS];
	unsigned	distance[SUGGESTIONS];
	size_t		count;
};

/* suggest - take a name among the best if it belongs there */
static void
suggest(struct suggestions *s, struct slice known)
{
	unsigned	d, limit = 1 + (unsigned)s->name.len / 5;
	size_t		at;

	if (known.len == 0 || known.data[0] == '_' ||
	    known.len > s->name.len + limit || s->name.len > known.len + limit)
		return;
	d = distance(s->name, known);
	if (d == 0 || d > limit)
		return;
	for (size_t i = 0; i < s->count; i++)
		if (slice_equal(s->best[i], known))
			return;
	for (at = s->count; at > 0 && s->distance[at - 1] > d; at--)
		if (at < SUGGESTIONS) {
			s->best[at] = s->best[at - 1];
			s->distance[at] = s->distance[at - 1];
		}
	if (at == SUGGESTIONS)
		return;
	s->best[at] = known;
	s->distance[at] = d;
	s->count += s->count < SUGGESTIONS;
}

/* param_nearest - known names that look like this one */
void
param_nearest(const struct param_registry *reg, const struct conf *conf,
    struct slice name, struct buf *out)
{
	struct suggestions	 s = { .name = name };
	const struct conf_entry	*e;

	for (size_t t = 0; t < reg->count; t++)
		for (size_t i = 0; i < reg->tables[t]->count; i++)
			suggest(&s, slice_of(reg->tables[t]->params[i].name));
	for (; conf != NULL; conf = conf_under(conf))
		for (size_t at = 0; (e = conf_each(conf, &at)) != NULL;)
			suggest(&s, e->name);
	for (size_t i = 0; i < s.count; i++) {
		if (i > 0)
			buf_add(out, S(", "));
		buf_add(out, s.best[i]);
	}
}

/* names that nobody knows */

struct search {
	const struct param_registry	*reg;
	const struct conf		*conf;
	struct hash			 used;	/* names that values refer to */
	const struct conf		*layer;	/* being walked */
	const struct conf_entry		*entry;	/* being walked */
	void				(*found)(void *,
					    const struct conf_entry *,
					    const struct diag *);
	void				*arg;
	size_t				 count;
};

/* report - call back with a finding about the entry being walked */
static void
report(struct search *s, const char *what, struct slice name)
{
	struct diag	d = DIAG_INIT;
	struct buf	near = BUF_INIT;
	char		file[sizeof(d.file)];

	(void)snprintf(file, sizeof(file), "%.*s", SLICE_ARG(s->entry->file));
	diag_file(&d, file);
	param_nearest(s->reg, s->conf, name, &near);
	(void)diag_set(&d, s->entry->line, 0, "%s%.*s%s%s%s", what,
	    SLICE_ARG(name), near.len > 0 ? " (did you mean " : "",
	    near.len > 0 ? buf_cstr(&near) : "", near.len > 0 ? "?)" : "");
	buf_free(&near);
	s->found(s->arg, s->entry, &d);
	s->count++;
}

/* note_used - a value refers to that name */
static void
note_used(void *arg, struct slice name)
{
	struct search *s = arg;

	(void)hash_put(&s->used, name, s);
}

/* note_undefined - a value refers to a name that may not exist */
static void
note_undefined(void *arg, struct slice name)
{
	struct search *s = arg;

	if (conf_find(s->layer, name) == NULL &&
	    param_registry_find(s->reg, name) == NULL)
		report(s, "nothing defines $", name);
}

/* is_raw - is the value read by others, with macros of their own? */
static bool
is_raw(const struct search *s, const struct conf_entry *e)
{
	const struct param *p = param_registry_find(s->reg, e->name);

	return p != NULL && p->type == PARAM_RAW;
}

/* collect_classes - restriction classes are named without a "$" */
static void
collect_classes(struct search *s, const struct conf_entry *e)
{
	struct slice	rest = e->value, item;

	if (slice_equal(e->name, CLASSES))
		while (conf_list_next(&rest, &item) > 0)
			note_used(s, item);
}

/* collect_used - what the values of a layer refer to */
static void
collect_used(struct search *s, const struct conf *layer)
{
	const struct conf_entry *e;

	for (size_t at = 0; (e = conf_each(layer, &at)) != NULL;) {
		collect_classes(s, e);
		/* a malformed value is found by whoever loads it */
		(void)conf_references(e->value, note_used, s, NULL);
	}
}

/* search_layer - the findings of one layer */
static void
search_layer(struct search *s, const struct conf *layer)
{
	s->layer = layer;
	for (size_t at = 0; (s->entry = conf_each(layer, &at)) != NULL;) {
		if (param_registry_find(s->reg, s->entry->name) == NULL &&
		    hash_get(&s->used, s->entry->name) == NULL)
			report(s, "there is no parameter ", s->entry->name);
		if (!is_raw(s, s->entry))
			(void)conf_references(s->entry->value, note_undefined,
			    s, NULL);
	}
}

/* param_unknown - find what is misspelt */
size_t
param_unknown(const struct param_registry *reg, const struct conf *conf,
    const struct conf *const *services, size_t service_count,
    void (*found)(void *arg, const struct conf_entry *, const struct diag *),
    void *arg)
{
	struct search	s = { .reg = reg, .conf = conf, .used = HASH_INIT,
			    .found = found, .arg = arg };

	for (const struct conf *c = conf; c != NULL; c = conf_under(c))
		collect_used(&s, c);
	for (size_t i = 0; i < service_count; i++)
		collect_used(&s, services[i]);
	search_layer(&s, conf);
	for (size_t i = 0; i < service_count; i++)
		search_layer(&s, services[i]);
	hash_free(&s.used);
	return s.count;
}
