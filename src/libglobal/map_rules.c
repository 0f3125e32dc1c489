/* SPDX-License-Identifier: ISC */
/*
 * Rules are an array; an if knows the index of its endif, so that a lookup is
 * one loop without a stack.
 */
#include "libglobal/map_rules.h"

#include <stdlib.h>

#include "libglobal/map.h"
#include "libglobal/map_impl.h"
#include "libglobal/map_source.h"
#include "libutil/alloc.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/cursor.h"

struct rule {
	enum { RULE_TEXT, RULE_IF, RULE_ENDIF } kind;
	bool		 negated;
	bool		 substitutes;	/* the text names groups or has $$ */
	void		*matcher;
	struct slice	 text;		/* in the arena */
	size_t		 endif;		/* of an if: the index of its endif */
};

struct rules {
	const struct map_rules_type	*type;
	struct rule			*rule;
	size_t				 count;
	size_t				 room;
	struct arena			 arena;
};

/* what the loader knows while it reads */
struct loader {
	struct rules	*rules;
	const struct map_args	*args;
	struct diag	*diag;
	uint32_t	 line;
	size_t		 open_if[MAP_RULES_DEPTH_MAX];
	uint32_t	 open_line[MAP_RULES_DEPTH_MAX];
	size_t		 depth;
};

/* take_reference - what is behind a $: a group's number, or -1 for $$ */
static int
take_reference(struct cursor *c, int *ret_group)
{
	int close = 0;
	uint32_t n;

	if (cursor_skip_byte(c, '$')) {
		*ret_group = -1;
		return 0;
	}
	if (cursor_skip_byte(c, '{'))
		close = '}';
	else if (cursor_skip_byte(c, '('))
		close = ')';
	if (cursor_u32(c, 10000, &n) < 0)
		return -EBADMSG;
	if (close != 0 && !cursor_skip_byte(c, (char)close))
		return -EBADMSG;
	*ret_group = (int)n;
	return 0;
}

/* check_text - are the references in a text good? */
static int
check_text(const struct loader *l, struct rule *rule, size_t groups)
{
	struct cursor c = cursor_over(rule->text);
	int group;

	while ((void)cursor_take_until(&c, '$'), cursor_skip_byte(&c, '$')) {
		rule->substitutes = true;
		if (take_reference(&c, &group) < 0)
			return diag_set(l->diag, l->line, 0, "behind $ must "
			    "stand a number, as in $1 or ${1}; a dollar sign "
			    "is written $$");
		if (group < 0)
			continue;
		if (l->args->flags & MAP_NO_SUBSTITUTION)
			return diag_set(l->diag, l->line, 0, "$%d is not "
			    "allowed here: this table's texts name files, "
			    "commands or users", group);
		if (rule->negated)
			return diag_set(l->diag, l->line, 0, "$%d in the text "
			    "of a pattern with !: there is nothing that "
			    "matched", group);
		if ((size_t)group > groups || group >= MAP_GROUPS_MAX)
			return diag_set(l->diag, l->line, 0, "$%d: the pattern "
			    "has %zu groups", group, groups);
	}
	return 0;
}

/* expand_text - a rule's text with what the groups matched */
static void
expand_text(struct buf *out, struct slice text, const struct map_groups *groups)
{
	struct cursor c = cursor_over(text);
	int group;

	for (;;) {
		buf_add(out, cursor_take_until(&c, '$'));
		if (!cursor_skip_byte(&c, '$') ||
		    take_reference(&c, &group) < 0)
			return;
		if (group < 0)
			buf_add_byte(out, '$');
		else if ((size_t)group < groups->count)
			buf_add(out, groups->group[group]);
	}
}

/* rules_get - try the rules in order */
static int
rules_get(struct map_table *t, struct slice key, struct buf *value)
{
	const struct rules *rs = t->state;
	union map_key_room room;
	struct map_groups groups;
	int r;

	if (rs->type->prepare != NULL &&
	    (r = rs->type->prepare(&key, &room)) < 0)
		return r;
	for (size_t i = 0; i < rs->count; i++) {
		const struct rule *rule = &rs->rule[i];

		if (rule->kind == RULE_ENDIF)
			continue;
		groups.count = 0;
		r = rs->type->match(rule->matcher, key,
		    rule->substitutes ? &groups : NULL);
		if (r < 0)
			return r;
		if ((r > 0) == rule->negated) {
			if (rule->kind == RULE_IF)
				i = rule->endif;
			continue;
		}
		if (rule->kind == RULE_IF)
			continue;
		if (rule->substitutes)
			expand_text(value, rule->text, &groups);
		else
			buf_add(value, rule->text);
		return 0;
	}
	return -ENOENT;
}

/* rules_close - release all */
static void
rules_close(struct map_table *t)
{
	struct rules *rs = t->state;

	for (size_t i = 0; i < rs->count; i++)
		if (rs->rule[i].matcher != NULL)
			rs->type->free(rs->rule[i].matcher);
	free(rs->rule);
	arena_free(&rs->arena);
	free(rs);
}

/* new_rule - one more rule, all zero */
static struct rule *
new_rule(struct rules *rs)
{
	struct rule *rule;

	if (rs->count == rs->room) {
		rs->room = rs->room == 0 ? 16 : rs->room * 2;
		rs->rule = xreallocarray(rs->rule, rs->room, sizeof(*rs->rule));
	}
	rule = &rs->rule[rs->count++];
	*rule = (struct rule){ .kind = RULE_TEXT };
	return rule;
}

/* take_word - "if" or "endif" at the start, in any case */
static bool
take_word(struct slice *rest, struct slice word)
{
	if (!slice_has_prefix_nocase(*rest, word) ||
	    (rest->len > word.len && ascii_is_alnum(rest->data[word.len])))
		return false;
	*rest = slice_trim(slice_from(*rest, word.len));
	return true;
}

/* end_if - an endif line */
static int
end_if(struct loader *l, struct slice rest)
{
	if (rest.len > 0)
		return diag_set(l->diag, l->line, 0,
		    "there is something behind endif: \"%.*s\"",
		    SLICE_ARG(rest));
	if (l->depth == 0)
		return diag_set(l->diag, l->line, 0, "endif without if");
	l->depth--;
	l->rules->rule[l->open_if[l->depth]].endif = l->rules->count;
	new_rule(l->rules)->kind = RULE_ENDIF;
	return 0;
}

/* begin_if - note where an if stands, until its endif comes */
static int
begin_if(struct loader *l)
{
	if (l->depth == MAP_RULES_DEPTH_MAX)
		return diag_set(l->diag, l->line, 0, "if goes deeper than %d",
		    MAP_RULES_DEPTH_MAX);
	l->open_if[l->depth] = l->rules->count - 1;
	l->open_line[l->depth++] = l->line;
	return 0;
}

/* load_line - one rule */
static int
load_line(struct loader *l, struct slice text)
{
	struct slice rest = slice_trim(text);
	struct rule *rule;
	size_t groups = 0;
	bool is_if;
	int r;

	if (l->rules->count >= MAP_RULES_MAX)
		return diag_set(l->diag, l->line, 0, "more than %d rules",
		    MAP_RULES_MAX);
	if (take_word(&rest, S("endif")))
		return end_if(l, rest);
	is_if = take_word(&rest, S("if"));
	rule = new_rule(l->rules);
	while (rest.len > 0 && rest.data[0] == '!') {
		rule->negated = !rule->negated;
		rest = slice_trim(slice_from(rest, 1));
	}
	r = l->rules->type->compile(&rest, l->line, l->diag, &rule->matcher,
	    &groups);
	if (r < 0)
		return r;
	rest = slice_trim(rest);
	if (is_if) {
		rule->kind = RULE_IF;
		if (rest.len > 0)
			return diag_set(l->diag, l->line, 0, "there is "
			    "something behind the pattern of an if: \"%.*s\"",
			    SLICE_ARG(rest));
		return begin_if(l);
	}
	if (rest.len == 0)
		return diag_set(l->diag, l->line, 0,
		    "there is no text behind the pattern");
	rule->text = arena_dup(&l->rules->arena, rest);
	return l->rules->type->has_groups ? check_text(l, rule, groups) : 0;
}

/* map_rules_open - read a file of rules */
int
map_rules_open(struct map_table *t, const struct map_args *args,
    const struct map_rules_type *type, struct diag *d)
{
	static const struct map_table_ops ops = {
		rules_get, NULL, NULL, rules_close
	};
	struct map_source s = MAP_SOURCE_INIT;
	struct loader *l = NEW(struct loader);
	char *path = slice_dup(args->name);
	struct slice text;
	struct stat st;
	int r;

	l->rules = t->state = NEW(struct rules);
	l->rules->type = type;
	l->args = args;
	l->diag = d;
	t->ops = &ops;
	if ((r = map_source_read(&s, path, &st, d)) < 0)
		goto out;
	map_watch(t, path, &st);
	diag_file(d, path);
	while (r == 0 && map_source_next(&s, &text, &l->line))
		r = load_line(l, text);
	if (r == 0 && l->depth > 0)
		r = diag_set(d, l->open_line[l->depth - 1], 0,
		    "this if has no endif");
out:
	map_source_free(&s);
	free(path);
	free(l);
	return r;
}

/* map_rules_cut - cut "/pattern/flags" off the front */
int
map_rules_cut(struct slice *rest, uint32_t line, struct diag *d,
    struct slice *ret_pattern, struct slice *ret_flags)
{
	struct cursor c = cursor_over(*rest), start;
	int delimiter = cursor_byte(&c), b;

	if (delimiter < 0 || ascii_is_alnum((char)delimiter))
		return diag_set(d, line, 0, "expected a pattern between "
		    "delimiters, as in /pattern/");
	start = c;
	while ((b = cursor_peek(&c)) >= 0 && b != delimiter) {
		(void)cursor_byte(&c);
		if (b == '\\')
			(void)cursor_byte(&c);
	}
	*ret_pattern = cursor_since(&c, &start);
	if (!cursor_skip_byte(&c, (char)delimiter))
		return diag_set(d, line, 0, "the pattern has no %c at its end",
		    delimiter);
	*ret_flags = cursor_take_while(&c, ascii_is_alpha);
	if (cursor_peek(&c) >= 0 && !ascii_is_blank((char)cursor_peek(&c)))
		return diag_set(d, line, 0, "there is \"%c\" behind the "
		    "pattern; expected flags or a blank", cursor_peek(&c));
	*rest = cursor_rest(&c);
	return 0;
}
