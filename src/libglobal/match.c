/* SPDX-License-Identifier: ISC */
/*
 * Patterns are an array in the order written. Runs of plain texts could be
 * hashed; lists that are long enough for that belong into tables.
 */
#include "libglobal/match.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "libglobal/map.h"
#include "libglobal/map_source.h"
#include "libglobal/match_cidr.h"
#include "libutil/alloc.h"
#include "libutil/arena.h"
#include "libutil/conf.h"
#include "libutil/diag.h"

struct pattern {
	enum { PATTERN_TEXT, PATTERN_TABLE, PATTERN_NETWORK } kind;
	bool		 negated;
	struct slice	 text;
	struct map	*map;
	struct cidr	 cidr;
};

struct watched {
	struct watched	*next;
	char		*path;
	struct stat	 st;
};

struct match_list {
	enum match_kind	 kind;
	unsigned	 flags;
	struct arena	 arena;
	struct pattern	*pattern;
	size_t		 count;
	size_t		 room;
	struct watched	*files;
};

/* where patterns come from, for findings */
struct origin {
	struct diag	*diag;
	unsigned	 depth;
	uint32_t	 line;
};

static int	add_patterns(struct match_list *l, struct slice text,
		    struct origin *o);

/* new_pattern - one more, all zero */
static struct pattern *
new_pattern(struct match_list *l)
{
	if (l->count == l->room) {
		l->room = l->room == 0 ? 8 : l->room * 2;
		l->pattern = xreallocarray(l->pattern, l->room,
		    sizeof(*l->pattern));
	}
	l->pattern[l->count] = (struct pattern){ .kind = PATTERN_TEXT };
	return &l->pattern[l->count++];
}

/* add_lines - the patterns in a text with comments */
static int
add_lines(struct match_list *l, struct map_source *s, struct origin *o)
{
	struct slice text;
	int r = 0;

	while (r == 0 && map_source_next(s, &text, &o->line))
		r = add_patterns(l, text, o);
	return r;
}

/* add_file - the patterns in a file */
static int
add_file(struct match_list *l, struct slice path, struct origin *o)
{
	struct origin inner = { o->diag, o->depth + 1, 0 };
	struct map_source s = MAP_SOURCE_INIT;
	struct watched *w;
	int r;

	if (o->depth >= MATCH_DEPTH_MAX)
		return diag_set(o->diag, o->line, 0, "%.*s: files in files go "
		    "deeper than %d", SLICE_ARG(path), MATCH_DEPTH_MAX);
	w = ARENA_NEW(&l->arena, struct watched);
	w->path = arena_text(&l->arena, path);
	if ((r = map_source_read(&s, w->path, &w->st, o->diag)) < 0)
		goto out;
	w->next = l->files;
	l->files = w;
	if ((r = add_lines(l, &s, &inner)) < 0)
		diag_file(o->diag, w->path);
out:
	map_source_free(&s);
	return r;
}

/* is_network - does it look like one: digits and dots, or [ at the start? */
static bool
is_network(struct slice s)
{
	struct cidr c;
	const char *why;

	if (s.data[0] == '[' || cidr_parse(s, &c, &why) == 0)
		return true;
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_digit(s.data[i]) && s.data[i] != '.' &&
		    s.data[i] != '/')
			return false;
	return true;
}

/* add_network - a network or address */
static int
add_network(struct match_list *l, struct slice word, struct pattern *p,
    struct origin *o)
{
	const char *why;

	(void)l;
	p->kind = PATTERN_NETWORK;
	if (cidr_parse(word, &p->cidr, &why) < 0)
		return diag_set(o->diag, o->line, 0, "\"%.*s\": %s",
		    SLICE_ARG(word), why);
	return 0;
}

/* add_word - one pattern */
static int
add_word(struct match_list *l, struct slice word, struct origin *o)
{
	struct pattern *p;
	bool negated = false;

	while (word.len > 0 && word.data[0] == '!') {
		negated = !negated;
		word = slice_from(word, 1);
	}
	if (word.len == 0)
		return diag_set(o->diag, o->line, 0,
		    "there is nothing behind the !");
	if (l->count >= MATCH_PATTERNS_MAX)
		return diag_set(o->diag, o->line, 0, "more than %d patterns",
		    MATCH_PATTERNS_MAX);
	if (word.data[0] == '/') {
		if (negated)
			return diag_set(o->diag, o->line, 0, "\"!%.*s\": a "
			    "file cannot be negated; write the ! into it",
			    SLICE_ARG(word));
		return add_file(l, word, o);
	}
	p = new_pattern(l);
	p->negated = negated;
	if (l->kind == MATCH_CLIENTS && is_network(word))
		return add_network(l, word, p, o);
	/* [192.0.2.1] and [IPv6:...] are domains, not tables */
	if (word.data[0] != '[' && slice_find(word, ':') != SLICE_NONE) {
		p->kind = PATTERN_TABLE;
		return map_open(word, l->flags & MATCH_TOLERATE ?
		    MAP_TOLERATE : 0, o->diag, &p->map);
	}
	p->text = arena_dup(&l->arena, word);
	return 0;
}

/* add_patterns - the words of a list */
static int
add_patterns(struct match_list *l, struct slice text, struct origin *o)
{
	struct slice rest = text, word;
	int r;

	while ((r = conf_list_next(&rest, &word)) > 0)
		if ((r = add_word(l, word, o)) < 0)
			return r;
	if (r < 0)
		return diag_set(o->diag, o->line, 0, "\"%.*s\": a brace has no "
		    "partner", SLICE_ARG(text));
	return 0;
}

/* match_list_open - a list, its files and tables */
int
match_list_open(struct slice text, enum match_kind kind, unsigned flags,
    struct diag *d, struct match_list **ret_list)
{
	struct match_list *l = NEW(struct match_list);
	struct origin o = { d, 0, 0 };
	int r;

	l->kind = kind;
	l->flags = flags;
	if ((r = add_patterns(l, text, &o)) < 0) {
		match_list_close(&l);
		return r;
	}
	*ret_list = l;
	return 0;
}

/* match_list_close - release a list */
void
match_list_close(struct match_list **l)
{
	if (*l == NULL)
		return;
	for (size_t i = 0; i < (*l)->count; i++)
		map_close(&(*l)->pattern[i].map);
	free((*l)->pattern);
	arena_free(&(*l)->arena);
	free(*l);
	*l = NULL;
}

/* match_list_is_empty - does nothing match? */
bool
match_list_is_empty(const struct match_list *l)
{
	return l == NULL || l->count == 0;
}

/* match_text - a plain pattern */
static bool
match_text(const struct match_list *l, struct slice pattern, struct slice name)
{
	size_t more;

	if (slice_equal_nocase(pattern, name))
		return true;
	if (l->kind == MATCH_STRINGS || pattern.len >= name.len ||
	    !slice_has_suffix_nocase(name, pattern))
		return false;
	more = name.len - pattern.len;
	if (pattern.data[0] == '.')
		return (l->flags & MATCH_PARENTS) == 0;
	return (l->flags & MATCH_PARENTS) != 0 && name.data[more - 1] == '.';
}

/* match_table - the name, then names above it, as the kind wants */
static int
match_table(const struct match_list *l, struct map *m, struct slice name)
{
	bool parents = (l->flags & MATCH_PARENTS) != 0;
	size_t dot;
	int r;

	for (;;) {
		r = map_get(m, name, NULL);
		if (r != -ENOENT)
			return r < 0 ? r : 1;
		if (l->kind == MATCH_STRINGS || map_is_pattern(m))
			return 0;
		/* a dot at the front was a step itself */
		dot = slice_find(slice_from(name, 1), '.');
		if (name.len == 0 || dot == SLICE_NONE)
			return 0;
		name = slice_from(name, dot + 1 + (parents ? 1 : 0));
	}
}

/* match_list_find - does a pattern match the name? */
int
match_list_find(struct match_list *l, struct slice name)
{
	int r;

	for (size_t i = 0; l != NULL && i < l->count; i++) {
		const struct pattern *p = &l->pattern[i];

		r = p->kind == PATTERN_TABLE ? match_table(l, p->map, name) :
		    p->kind == PATTERN_TEXT && match_text(l, p->text, name);
		if (r < 0)
			return r;
		if (r > 0)
			return !p->negated;
	}
	return 0;
}

/* match_client - does one pattern match a client? */
static int
match_client(const struct match_list *l, const struct pattern *p,
    struct slice name, struct slice address, const struct ip *ip)
{
	int r;

	if (p->kind == PATTERN_NETWORK)
		return ip != NULL && cidr_has(&p->cidr, ip);
	if (p->kind == PATTERN_TEXT)
		return name.len > 0 && match_text(l, p->text, name);
	r = name.len > 0 ? match_table(l, p->map, name) : 0;
	if (r == 0) {
		r = map_get(p->map, address, NULL);
		r = r == -ENOENT ? 0 : r < 0 ? r : 1;
	}
	return r;
}

/* match_list_find_client - does a pattern match the client? */
int
match_list_find_client(struct match_list *l, struct slice name,
    struct slice address)
{
	struct ip ip;
	bool is_ip = ip_parse(address, &ip) == 0;
	int r;

	if (slice_equal(name, S("unknown")))
		name = SLICE_EMPTY;
	for (size_t i = 0; l != NULL && i < l->count; i++) {
		r = match_client(l, &l->pattern[i], name, address,
		    is_ip ? &ip : NULL);
		if (r < 0)
			return r;
		if (r > 0)
			return !l->pattern[i].negated;
	}
	return 0;
}

/* file_changed - is the file no longer the one that was read? */
static bool
file_changed(const struct watched *w)
{
	struct stat st;

	return stat(w->path, &st) < 0 || st.st_ino != w->st.st_ino ||
	    st.st_dev != w->st.st_dev || st.st_size != w->st.st_size ||
	    st.st_mtim.tv_sec != w->st.st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != w->st.st_mtim.tv_nsec;
}

/* match_list_changed - has a file or table? */
bool
match_list_changed(struct match_list *l)
{
	if (l == NULL)
		return false;
	for (const struct watched *w = l->files; w != NULL; w = w->next)
		if (file_changed(w))
			return true;
	for (size_t i = 0; i < l->count; i++)
		if (l->pattern[i].map != NULL &&
		    map_changed(l->pattern[i].map))
			return true;
	return false;
}

/* match_list_each_file - the files of a list and its tables */
void
match_list_each_file(struct match_list *l,
    void (*each)(void *arg, const char *path), void *arg)
{
	for (const struct watched *w = l == NULL ? NULL : l->files; w != NULL;
	    w = w->next)
		each(arg, w->path);
	for (size_t i = 0; l != NULL && i < l->count; i++)
		if (l->pattern[i].map != NULL)
			map_each_file(l->pattern[i].map, each, arg);
}

/* match_list_blocks - has it tables that may block? */
bool
match_list_blocks(const struct match_list *l)
{
	for (size_t i = 0; l != NULL && i < l->count; i++)
		if (l->pattern[i].map != NULL &&
		    map_blocks(l->pattern[i].map))
			return true;
	return false;
}
