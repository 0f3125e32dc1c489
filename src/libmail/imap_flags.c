/* SPDX-License-Identifier: ISC */
/* System flags are known by name; every other atom is a keyword. */
#include "libmail/imap_flags.h"

static const struct {
	uint32_t	bit;
	struct slice	text;
} system_flags[] = {
#define IMAP_FLAG(name, bit, text) { IMAP_FLAG_##name, S_INIT(text) },
#include "libmail/imap_flags.def"
};

/* lex_system_flag - what follows a backslash */
static int
lex_system_flag(struct imap_lex *l, struct imap_flags *flags)
{
	struct cursor	start = l->c;
	struct slice	text;
	int		r;

	(void)cursor_byte(&l->c);
	if ((r = imap_lex_atom(l, "flag", &text)) < 0)
		return r;
	text = cursor_since(&l->c, &start);
	for (size_t i = 0; i < COUNT(system_flags); i++) {
		if (!slice_equal_nocase(text, system_flags[i].text))
			continue;
		flags->system |= system_flags[i].bit;
		return 0;
	}
	if (slice_equal_nocase(text, S("\\Recent")))
		return imap_lex_fail(l, "only the server sets \\Recent");
	return imap_lex_fail(l, "there is no system flag \"%s\"",
	    imap_echo(l->arena, text));
}

/* imap_lex_flag - one flag more */
int
imap_lex_flag(struct imap_lex *l, struct imap_flags *flags)
{
	struct slice	text;
	int		r;

	if (cursor_peek(&l->c) == '\\')
		return lex_system_flag(l, flags);
	if ((r = imap_lex_atom(l, "flag", &text)) < 0)
		return r;
	if (text.len > IMAP_KEYWORD_MAX)
		return imap_lex_fail(l, "keyword \"%s\" is too long",
		    imap_echo(l->arena, text));
	for (size_t i = 0; i < flags->keyword_count; i++)
		if (slice_equal_nocase(flags->keywords[i], text))
			return 0;
	if (flags->keyword_count == IMAP_KEYWORDS_MAX)
		return imap_lex_fail(l, "more than %d keywords",
		    IMAP_KEYWORDS_MAX);
	flags->keywords[flags->keyword_count++] = text;
	return 0;
}

/* flags_new - an empty set with room */
static struct imap_flags
flags_new(struct arena *a)
{
	return (struct imap_flags){ 0,
		ARENA_ARRAY(a, struct slice, IMAP_KEYWORDS_MAX), 0 };
}

/* lex_spaced - flags with one space between */
static int
lex_spaced(struct imap_lex *l, struct imap_flags *flags)
{
	int	r;

	do {
		if ((r = imap_lex_flag(l, flags)) < 0)
			return r;
	} while (cursor_skip_byte(&l->c, ' '));
	return 0;
}

/* imap_lex_flag_list - in parentheses */
int
imap_lex_flag_list(struct imap_lex *l, struct imap_flags *ret_flags)
{
	struct imap_flags flags = flags_new(l->arena);
	int		r;

	if ((r = imap_lex_open(l, "flag list")) < 0)
		return r;
	if (cursor_peek(&l->c) != ')' && (r = lex_spaced(l, &flags)) < 0)
		return r;
	if ((r = imap_lex_close(l, "flag list")) < 0)
		return r;
	*ret_flags = flags;
	return 0;
}

/* imap_lex_flags - in parentheses or bare */
int
imap_lex_flags(struct imap_lex *l, struct imap_flags *ret_flags)
{
	struct imap_flags flags;
	int		r;

	if (cursor_peek(&l->c) == '(')
		return imap_lex_flag_list(l, ret_flags);
	flags = flags_new(l->arena);
	if ((r = lex_spaced(l, &flags)) < 0)
		return r;
	*ret_flags = flags;
	return 0;
}

/* imap_format_system_flags - the names */
bool
imap_format_system_flags(struct buf *out, uint32_t flags)
{
	bool	some = false;

	for (size_t i = 0; i < COUNT(system_flags); i++) {
		if ((flags & system_flags[i].bit) == 0)
			continue;
		if (some)
			buf_add_byte(out, ' ');
		buf_add(out, system_flags[i].text);
		some = true;
	}
	return some;
}
