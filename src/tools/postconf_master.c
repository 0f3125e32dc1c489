/* SPDX-License-Identifier: ISC */
/* postconf -M, -F and -P: the rows of master.cf, their fields and options. */
#include "libutil/buf.h"
#include "libutil/conf.h"
#include "tools/conf_view.h"

/* a word: "service/type", "service/type/more", maybe "=value" behind */
struct word {
	struct slice		service;
	enum mastercf_type	type;
	bool			has_type;
	struct slice		more;
	struct slice		value;
	bool			has_value;
};

/* word_parse - cut it; services may have no slash in their names */
static int
word_parse(struct tool *tool, const char *text, struct word *w)
{
	struct slice	rest, value = slice_of(text);
	struct slice	left = slice_split(&value, '=');
	struct slice	type;

	*w = (struct word){ .value = slice_trim(value),
	    .has_value = strchr(text, '=') != NULL };
	rest = slice_trim(left);
	w->service = slice_split(&rest, '/');
	type = slice_split(&rest, '/');
	w->more = rest;
	if (type.len == 0)
		return TOOL_OK;
	w->has_type = true;
	if (mastercf_type_parse(type, &w->type) < 0)
		return tool_fail(tool, "%s: \"%.*s\" is no type of a service",
		    text, SLICE_ARG(type));
	return TOOL_OK;
}

/* matches - does the word mean that row? "*" means all */
static bool
matches(const struct word *w, const struct mastercf_service *s)
{
	return (slice_equal(w->service, S("*")) ||
	    slice_equal(w->service, s->name)) &&
	    (!w->has_type || w->type == s->type);
}

/* print of it what the word means; false: nothing */
typedef bool print_fn(const struct mastercf_service *s, const struct word *w);

/* print - every row that a word means; all of them without words */
static int
print(struct tool *tool, print_fn *fn, char **words, size_t count)
{
	static const struct word	all = { .service = S_INIT("*") };
	struct word			w;
	bool				any;

	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	for (size_t i = 0; i < (count == 0 ? 1 : count); i++) {
		if (count == 0)
			w = all;
		else if (word_parse(tool, words[i], &w) != TOOL_OK)
			return TOOL_FAILED;
		any = count == 0;
		for (size_t j = 0; j < tool->cf.count; j++)
			if (matches(&w, &tool->cf.service[j]))
				any |= fn(&tool->cf.service[j], &w);
		if (!any)
			tool_warn(tool, "%s: master.cf has nothing of that name",
			    words[i]);
	}
	return TOOL_OK;
}

static void
print_formatted(const struct mastercf_service *s, bool folded)
{
	struct buf b = BUF_INIT;

	mastercf_format(&b, s, folded);
	printf("%.*s%s", SLICE_ARG(buf_slice(&b)), b.len > 0 &&
	    b.data[b.len - 1] == '\n' ? "" : "\n");
	buf_free(&b);
}

/* print_row - on one line, for scripts */
static bool
print_row(const struct mastercf_service *s, const struct word *w)
{
	(void)w;
	print_formatted(s, false);
	return true;
}

static bool
print_folded(const struct mastercf_service *s, const struct word *w)
{
	(void)w;
	print_formatted(s, true);
	return true;
}

static bool
print_fields(const struct mastercf_service *s, const struct word *w)
{
	bool any = false;

	for (int f = MASTERCF_SERVICE; f <= MASTERCF_COMMAND; f++) {
		const char *name = mastercf_field_name(f);
		struct buf b = BUF_INIT;

		if (w->more.len > 0 && !slice_equal(w->more, slice_of(name)))
			continue;
		any = true;
		mastercf_format_field(&b, s, f);
		printf("%.*s/%s/%s = %.*s\n", SLICE_ARG(s->name),
		    mastercf_type_name(s->type), name,
		    SLICE_ARG(buf_slice(&b)));
		buf_free(&b);
	}
	return any;
}

static bool
print_overrides(const struct mastercf_service *s, const struct word *w)
{
	bool any = false;

	for (size_t i = 0; i < s->override_count; i++)
		if (w->more.len == 0 ||
		    slice_equal(w->more, s->override[i].name)) {
			any = true;
			printf("%.*s/%s/%.*s = %.*s\n", SLICE_ARG(s->name),
			    mastercf_type_name(s->type),
			    SLICE_ARG(s->override[i].name),
			    SLICE_ARG(s->override[i].value));
		}
	return any || w->more.len == 0;
}

typedef int edit_fn(struct slice text, const struct word *w,
    enum conf_change change, struct buf *out, struct diag *d);

/* edit - each word changes the text; then it is written */
static int
edit(struct tool *tool, edit_fn *fn, enum conf_change change, char **words,
    size_t count)
{
	struct slice	path = arena_printf(&tool->arena, "%s/master.cf",
			    tool->config_directory);
	struct slice	text;
	struct diag	diag = DIAG_INIT;
	struct word	w;
	int		r;

	if (tool_read_file(tool, path.data, &text) != 0)
		return TOOL_FAILED;
	for (size_t i = 0; i < count; i++) {
		struct buf b = BUF_INIT;

		if (word_parse(tool, words[i], &w) != TOOL_OK)
			return TOOL_FAILED;
		if (!w.has_type || (change == CONF_SET && !w.has_value))
			return tool_fail(tool, "%s: give SERVICE/TYPE%s",
			    words[i], change == CONF_SET ? "...=VALUE" : "...");
		r = fn(text, &w, change, &b, &diag);
		text = arena_dup(&tool->arena, buf_slice(&b));
		buf_free(&b);
		if (r == -ENOENT)
			return tool_fail(tool, "%s: there is no such row in "
			    "%s", words[i], path.data);
		if (r < 0)
			return tool_fail_diag(tool, &diag);
	}
	return tool_write_file(tool, path.data, text);
}

static int
edit_row(struct slice text, const struct word *w, enum conf_change change,
    struct buf *out, struct diag *d)
{
	if (change == CONF_SET)
		return mastercf_edit_set(text, w->service, w->type, w->value,
		    out, d);
	return change == CONF_REMOVE ?
	    mastercf_edit_remove(text, w->service, w->type, out, d) :
	    mastercf_edit_comment(text, w->service, w->type, out, d);
}

static int
edit_field(struct slice text, const struct word *w, enum conf_change change,
    struct buf *out, struct diag *d)
{
	enum mastercf_field field;

	(void)change;	/* fields can only be set */
	if (mastercf_field_parse(w->more, &field) < 0)
		return diag_set(d, 0, 0, "\"%.*s\" is no field of a row",
		    SLICE_ARG(w->more));
	return mastercf_edit_field(text, w->service, w->type, field, w->value,
	    out, d);
}

static int
edit_override(struct slice text, const struct word *w, enum conf_change change,
    struct buf *out, struct diag *d)
{
	return mastercf_edit_override(text, w->service, w->type, w->more,
	    change == CONF_SET ? &w->value : NULL, out, d);
}

/* postconf_rows - -M */
int
postconf_rows(struct tool *tool, enum conf_change change, bool is_edit,
    bool folded, char **words, size_t count)
{
	return is_edit ? edit(tool, edit_row, change, words, count) :
	    print(tool, folded ? print_folded : print_row, words, count);
}

/* postconf_fields - -F */
int
postconf_fields(struct tool *tool, bool is_edit, char **words, size_t count)
{
	enum mastercf_field	field;
	struct word		w;

	if (is_edit)
		return edit(tool, edit_field, CONF_SET, words, count);
	for (size_t i = 0; i < count; i++) {
		if (word_parse(tool, words[i], &w) != TOOL_OK)
			return TOOL_FAILED;
		if (w.more.len > 0 && mastercf_field_parse(w.more, &field) < 0)
			return tool_fail(tool, "%s: \"%.*s\" is no field of a "
			    "row", words[i], SLICE_ARG(w.more));
	}
	return print(tool, print_fields, words, count);
}

/* postconf_overrides - -P */
int
postconf_overrides(struct tool *tool, enum conf_change change, bool is_edit,
    char **words, size_t count)
{
	return is_edit ? edit(tool, edit_override, change, words, count) :
	    print(tool, print_overrides, words, count);
}
