/* SPDX-License-Identifier: ISC */
/* Rows as text. Whatever is printed parses back to the same row. */
#include "libglobal/mastercf.h"
#include "libglobal/mastercf_lex.h"
#include "libutil/buf.h"

/* has_blank - would the lexer end a word there? */
static bool
has_blank(struct slice s)
{
	return slice_find(s, ' ') != SLICE_NONE ||
	    slice_find(s, '\t') != SLICE_NONE ||
	    slice_find(s, '\r') != SLICE_NONE;
}

/* add_word - one word, in braces if without them it would be no word or some
 * other one. Only what stood in braces can need them, so they are balanced. */
static void
add_word(struct buf *out, struct slice word)
{
	bool braces = word.len == 0 || has_blank(word) || word.data[0] == '{';

	buf_add_text(out, braces ? "{ " : "");
	buf_add(out, word);
	buf_add_text(out, braces ? " }" : "");
}

/* add_option - one -o */
static void
add_option(struct buf *out, const struct mastercf_override *o)
{
	bool braces = has_blank(o->value);

	buf_addf(out, braces ? "-o { %.*s = " : "-o %.*s=", SLICE_ARG(o->name));
	buf_add(out, o->value);
	buf_add_text(out, braces ? " }" : "");
}

/* is_option - would the parser take it for an option that it knows? */
static bool
is_option(struct slice word)
{
	return slice_has_prefix(word, S("-o")) ||
	    mastercf_is_run_of(word, 'v') || mastercf_is_run_of(word, 'D');
}

/* format_command - the last field, options on lines of their own or not */
static void
format_command(struct buf *out, const struct mastercf_service *s,
    const char *between)
{
	add_word(out, s->command);
	for (unsigned i = 0; i < s->verbose; i++)
		buf_add_text(out, " -v");
	if (s->debug)
		buf_add_text(out, " -D");
	for (size_t i = 0; i < s->override_count; i++) {
		buf_add_text(out, between);
		add_option(out, &s->override[i]);
	}
	for (size_t i = 0; i < s->arg_count; i++) {
		struct slice word = s->arg[i];
		bool comment = word.len > 0 && word.data[0] == '#';

		buf_add_text(out, i == 0 && !comment ? between : " ");
		if (i == 0 && is_option(word) && !has_blank(word))
			buf_addf(out, "{ %.*s }", SLICE_ARG(word));
		else
			add_word(out, word);
	}
}

/* mastercf_format_field - one field as text */
void
mastercf_format_field(struct buf *out, const struct mastercf_service *s,
    enum mastercf_field field)
{
	static const char *const flags[] = { "-", "n", "y" };

	switch (field) {
	case MASTERCF_SERVICE:
		buf_add(out, s->name);
		break;
	case MASTERCF_TYPE:
		buf_add_text(out, mastercf_type_name(s->type));
		break;
	case MASTERCF_PRIVATE:
		buf_add_text(out, flags[s->is_private]);
		break;
	case MASTERCF_UNPRIVILEGED:
		buf_add_text(out, flags[s->unprivileged]);
		break;
	case MASTERCF_CHROOT:
		buf_add_text(out, flags[s->chroot]);
		break;
	case MASTERCF_WAKEUP:
		if (s->wakeup == 0 && !s->wakeup_if_used)
			buf_add_byte(out, '-');
		else
			buf_addf(out, "%u%s", s->wakeup,
			    s->wakeup_if_used ? "?" : "");
		break;
	case MASTERCF_MAXPROC:
		if (s->maxproc_default)
			buf_add_byte(out, '-');
		else
			buf_addf(out, "%u", s->maxproc);
		break;
	case MASTERCF_COMMAND:
		format_command(out, s, " ");
		break;
	}
}

/* mastercf_format - the row as text */
void
mastercf_format(struct buf *out, const struct mastercf_service *s, bool folded)
{
	static const size_t column[] = { 0, 11, 17, 25, 33, 41, 49, 57 };
	size_t start = out->len;

	for (size_t i = 0; i < MASTERCF_COMMAND; i++) {
		do {
			if (i > 0)
				buf_add_byte(out, ' ');
		} while (i > 0 && out->len - start < column[i] &&
		    buf_check(out) == 0);
		mastercf_format_field(out, s, (enum mastercf_field)i);
	}
	do {
		buf_add_byte(out, ' ');
	} while (out->len - start < column[MASTERCF_COMMAND] &&
	    buf_check(out) == 0);
	format_command(out, s, folded ? "\n    " : " ");
	buf_add_byte(out, '\n');
}
