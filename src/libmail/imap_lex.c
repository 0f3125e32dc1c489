/* SPDX-License-Identifier: ISC */
/*
 * RFC 3501 9, with what RFC 9051 adds: 8-bit bytes in quoted strings, which
 * many clients have always sent. Exactly one space separates; nothing else is
 * forgiven, because whatever is guessed here would be guessed differently by
 * the next client's author.
 */
#include "libmail/imap_lex.h"

#include <stdarg.h>
#include <stdio.h>

#define ECHO_MAX 40

/* is_ctl - a control character (ASCII) */
static bool
is_ctl(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* is_atom_char - RFC 3501 9, ATOM-CHAR */
static bool
is_atom_char(char c)
{
	if ((unsigned char)c >= 0x80 || is_ctl(c))
		return false;
	switch (c) {
	case '(': case ')': case '{': case ' ': case '%': case '*':
	case '"': case '\\': case ']':
		return false;
	default:
		return true;
	}
}

/* is_astring_char - ASTRING-CHAR */
static bool
is_astring_char(char c)
{
	return c == ']' || is_atom_char(c);
}

/* is_pattern_char - list-char */
static bool
is_pattern_char(char c)
{
	return c == '%' || c == '*' || is_astring_char(c);
}

/* is_tag_char - of a tag */
static bool
is_tag_char(char c)
{
	return c != '+' && is_astring_char(c);
}

/* is_word_char - of the name of a command or an item */
static bool
is_word_char(char c)
{
	return ascii_is_alnum(c) || c == '.' || c == '-';
}

/* all_are - is every byte of that kind, and is there one? */
static bool
all_are(struct slice s, bool (*is)(char))
{
	struct cursor	c = cursor_over(s);

	(void)cursor_take_while(&c, is);
	return s.len != 0 && cursor_at_end(&c);
}

/* imap_is_atom - may it stand as an atom? */
bool
imap_is_atom(struct slice s)
{
	return all_are(s, is_atom_char);
}

/* imap_is_astring_bare - may it stand as an astring without quotes? */
bool
imap_is_astring_bare(struct slice s)
{
	return all_are(s, is_astring_char);
}

/* imap_literal_at_end - what must be read after this line? */
int
imap_literal_at_end(struct slice line, struct imap_literal *ret_literal)
{
	struct imap_literal l = { 0, true, false };
	size_t		brace = slice_find_last(line, '{');
	struct slice	digits;

	if (brace == SLICE_NONE || !slice_has_suffix(line, S("}")))
		return 0;
	digits = slice_sub(line, brace + 1, line.len - brace - 2);
	if (slice_has_suffix(digits, S("+"))) {
		l.sync = false;
		digits.len--;
	}
	l.binary = brace > 0 && line.data[brace - 1] == '~';
	switch (slice_to_u64(digits, IMAP_LITERAL_MAX, &l.size)) {
	case 0:
		*ret_literal = l;
		return 1;
	case -ERANGE:
		return -ERANGE;
	default:
		return 0;
	}
}

/* imap_lex_init - begin at the first line */
void
imap_lex_init(struct imap_lex *l, const struct imap_segment *segments,
    size_t count, struct arena *arena, struct imap_fault *fault)
{
	*l = (struct imap_lex){ segments, count, 0,
		cursor_over(count == 0 ? SLICE_EMPTY : segments[0].text),
		arena, fault };
	fault->tag = SLICE_EMPTY;
	fault->text[0] = '\0';
}

/* imap_lex_fail - note what is wrong, unless something is noted already */
int
imap_lex_fail(struct imap_lex *l, const char *format, ...)
{
	va_list	ap;

	if (l->fault->text[0] != '\0')
		return -EBADMSG;
	va_start(ap, format);
	(void)vsnprintf(l->fault->text, sizeof(l->fault->text), format, ap);
	va_end(ap);
	return -EBADMSG;
}

/* imap_echo - foreign text, cut and made printable */
const char *
imap_echo(struct arena *a, struct slice text)
{
	bool	cut = text.len > ECHO_MAX;
	char	*out = arena_text(a, slice_sub(text, 0, ECHO_MAX));

	for (char *p = out; *p != '\0'; p++)
		if (is_ctl(*p) || (unsigned char)*p >= 0x80)
			*p = '?';
	return cut ? arena_printf(a, "%s...", out).data : out;
}

/* imap_lex_next - what comes next, to be shown in a reply */
const char *
imap_lex_next(struct imap_lex *l)
{
	struct slice	rest = cursor_rest(&l->c), word;
	size_t		space = slice_find(slice_from(rest, 1), ' ');

	if (rest.len == 0)
		return "the end of the line";
	word = space == SLICE_NONE ? rest : slice_sub(rest, 0, space + 1);
	return arena_printf(l->arena, "\"%s\"",
	    imap_echo(l->arena, word)).data;
}

/* imap_lex_space - exactly one */
int
imap_lex_space(struct imap_lex *l)
{
	if (!cursor_skip_byte(&l->c, ' '))
		return imap_lex_fail(l, "a space is missing before %s",
		    imap_lex_next(l));
	return 0;
}

/* imap_lex_open - an opening parenthesis */
int
imap_lex_open(struct imap_lex *l, const char *what)
{
	if (!cursor_skip_byte(&l->c, '('))
		return imap_lex_fail(l, "%s: expected \"(\" instead of %s",
		    what, imap_lex_next(l));
	return 0;
}

/* imap_lex_close - a closing parenthesis */
int
imap_lex_close(struct imap_lex *l, const char *what)
{
	if (!cursor_skip_byte(&l->c, ')'))
		return imap_lex_fail(l, "%s: expected \")\" instead of %s",
		    what, imap_lex_next(l));
	return 0;
}

/* imap_lex_end - nothing more may come */
int
imap_lex_end(struct imap_lex *l)
{
	if (!cursor_at_end(&l->c) || l->at + 1 < l->count)
		return imap_lex_fail(l, "unexpected %s after the arguments",
		    imap_lex_next(l));
	return 0;
}

/* imap_lex_skip - take this text (any case) if it comes next */
bool
imap_lex_skip(struct imap_lex *l, struct slice text)
{
	return cursor_skip_nocase(&l->c, text);
}

/* take_run - one or more bytes of a kind */
static int
take_run(struct imap_lex *l, const char *what, bool (*is)(char),
    struct slice *ret_run)
{
	struct slice	run = cursor_take_while(&l->c, is);

	if (run.len == 0)
		return imap_lex_fail(l, "%s: unexpected %s", what,
		    imap_lex_next(l));
	*ret_run = run;
	return 0;
}

/* imap_lex_tag - the tag of a command */
int
imap_lex_tag(struct imap_lex *l, struct slice *ret_tag)
{
	return take_run(l, "tag", is_tag_char, ret_tag);
}

/* imap_lex_atom - an atom */
int
imap_lex_atom(struct imap_lex *l, const char *what, struct slice *ret_atom)
{
	return take_run(l, what, is_atom_char, ret_atom);
}

/* imap_lex_word - the name of a command or an item, perhaps empty */
struct slice
imap_lex_word(struct imap_lex *l)
{
	return cursor_take_while(&l->c, is_word_char);
}

/* is_quoted_plain - stands for itself inside quotes */
static bool
is_quoted_plain(char c)
{
	return c != '"' && c != '\\' && c != '\0' && c != '\r' && c != '\n';
}

/* quoted_skip - over a quoted string, behind its opening quote, to behind the
 * closing one; says how many bytes it stands for */
static int
quoted_skip(struct imap_lex *l, const char *what, size_t *ret_len)
{
	size_t	len = cursor_take_while(&l->c, is_quoted_plain).len;
	int	next;

	while (!cursor_skip_byte(&l->c, '"')) {
		if (cursor_at_end(&l->c))
			return imap_lex_fail(l,
			    "%s: the quoted string does not end", what);
		if (!cursor_skip_byte(&l->c, '\\'))
			return imap_lex_fail(l,
			    "%s: forbidden byte in a quoted string", what);
		next = cursor_byte(&l->c);
		if (next != '"' && next != '\\')
			return imap_lex_fail(l,
			    "%s: only \" and \\ may follow \\", what);
		len += 1 + cursor_take_while(&l->c, is_quoted_plain).len;
	}
	*ret_len = len;
	return 0;
}

/* lex_quoted - a quoted string, behind its opening quote */
static int
lex_quoted(struct imap_lex *l, const char *what, struct slice *ret_text)
{
	struct cursor	start = l->c;
	struct slice	raw;
	size_t		len = 0, used = 0;
	char		*out;
	int		r;

	if ((r = quoted_skip(l, what, &len)) < 0)
		return r;
	raw = cursor_since(&l->c, &start);
	raw.len--;			/* the closing quote */
	if (raw.len == len) {
		*ret_text = raw;
		return 0;
	}
	out = arena_alloc(l->arena, len);
	for (size_t i = 0; i < raw.len; i++) {
		i += raw.data[i] == '\\';
		out[used++] = raw.data[i];
	}
	*ret_text = slice_over(out, used);
	return 0;
}

/* lex_literal - the literal of this segment, behind its opening brace; the
 * lexer goes on in the next line */
static int
lex_literal(struct imap_lex *l, const char *what, struct slice *ret_text)
{
	const struct imap_segment *s = &l->segments[l->at];
	uint64_t	size;

	if (cursor_u64(&l->c, IMAP_LITERAL_MAX, &size) < 0)
		return imap_lex_fail(l, "%s: bad literal", what);
	(void)cursor_skip_byte(&l->c, '+');
	if (!cursor_skip_byte(&l->c, '}') || !cursor_at_end(&l->c) ||
	    !s->has_literal || s->literal.len != size ||
	    l->at + 1 == l->count)
		return imap_lex_fail(l, "%s: bad literal", what);
	if (slice_find(s->literal, '\0') != SLICE_NONE)
		return imap_lex_fail(l, "%s: NUL in a literal", what);
	l->at++;
	l->c = cursor_over(l->segments[l->at].text);
	*ret_text = s->literal.len == 0 ? S("") : s->literal;
	return 0;
}

/* imap_lex_string - quoted or literal */
int
imap_lex_string(struct imap_lex *l, const char *what, struct slice *ret_text)
{
	if (cursor_skip_byte(&l->c, '"'))
		return lex_quoted(l, what, ret_text);
	if (cursor_skip_byte(&l->c, '{'))
		return lex_literal(l, what, ret_text);
	return imap_lex_fail(l, "%s: expected a string instead of %s", what,
	    imap_lex_next(l));
}

/* lex_string_or - a string, or a run of such bytes */
static int
lex_string_or(struct imap_lex *l, const char *what, bool (*is)(char),
    struct slice *ret_text)
{
	int	next = cursor_peek(&l->c);

	if (next == '"' || next == '{')
		return imap_lex_string(l, what, ret_text);
	return take_run(l, what, is, ret_text);
}

/* imap_lex_astring - an atom (with "]" allowed) or a string */
int
imap_lex_astring(struct imap_lex *l, const char *what, struct slice *ret_text)
{
	return lex_string_or(l, what, is_astring_char, ret_text);
}

/* imap_lex_nstring - a string or NIL */
int
imap_lex_nstring(struct imap_lex *l, const char *what, struct slice *ret_text)
{
	if (imap_lex_skip(l, S("NIL"))) {
		*ret_text = SLICE_EMPTY;
		return 0;
	}
	return imap_lex_string(l, what, ret_text);
}

/* imap_lex_pattern - an astring in which wildcards need no quotes */
int
imap_lex_pattern(struct imap_lex *l, const char *what, struct slice *ret_text)
{
	return lex_string_or(l, what, is_pattern_char, ret_text);
}

/* imap_lex_number - a decimal number */
int
imap_lex_number(struct imap_lex *l, const char *what, uint64_t max,
    uint64_t *ret_number)
{
	switch (cursor_u64(&l->c, max, ret_number)) {
	case 0:
		return 0;
	case -ERANGE:
		return imap_lex_fail(l, "%s: %s is too large", what,
		    imap_lex_next(l));
	default:
		return imap_lex_fail(l, "%s: expected a number instead of %s",
		    what, imap_lex_next(l));
	}
}
