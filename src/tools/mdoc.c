/* SPDX-License-Identifier: ISC */
/*
 * A backslash begins an escape everywhere; a point or an apostrophe begins a
 * macro at the start of a line; a line that ends a sentence gets its space
 * from the formatter, so sentences begin lines of their own.
 */
#include "tools/mdoc.h"

#include "libutil/buf.h"

#define LINE_WIDTH	76

/* byte - one byte of text */
static void
byte(struct buf *out, char c, bool in_arg)
{
	if (c == '\\')
		buf_add_text(out, "\\e");
	else if (c == '"' && in_arg)
		buf_add_text(out, "\\(dq");
	else if (c == '-' && in_arg)
		buf_add_text(out, "\\-");	/* "--" would become a dash */
	else
		buf_add_byte(out, c);
}

/* ends_sentence - is a word that ends so the last of its sentence? */
static bool
ends_sentence(struct slice word, struct slice rest)
{
	char	last = word.data[word.len - 1];

	return (last == '.' || last == '!' || last == '?') && word.len > 2 &&
	    !slice_is_empty(rest) && rest.data[0] >= 'A' && rest.data[0] <= 'Z';
}

/* mdoc_text - sentences, wrapped */
void
mdoc_text(struct buf *out, struct slice text)
{
	struct slice	rest = slice_trim(text), word;
	size_t		column = 0;

	while (!slice_is_empty(rest)) {
		word = slice_split(&rest, ' ');
		if (slice_is_empty(word))
			continue;
		if (column > 0 && column + word.len >= LINE_WIDTH) {
			buf_add_byte(out, '\n');
			column = 0;
		}
		if (column > 0)
			buf_add_byte(out, ' ');
		else if (word.data[0] == '.' || word.data[0] == '\'')
			buf_add_text(out, "\\&");
		for (size_t i = 0; i < word.len; i++)
			byte(out, word.data[i], false);
		column += word.len + 1;
		if (ends_sentence(word, rest)) {
			buf_add_byte(out, '\n');
			column = 0;
		}
	}
	if (column > 0)
		buf_add_byte(out, '\n');
}

/* mdoc_arg - one argument of a macro */
void
mdoc_arg(struct buf *out, struct slice text)
{
	buf_add_byte(out, '"');
	for (size_t i = 0; i < text.len; i++)
		byte(out, text.data[i], true);
	buf_add_byte(out, '"');
}
