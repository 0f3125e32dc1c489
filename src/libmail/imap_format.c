/* SPDX-License-Identifier: ISC */
/* Quotes where they are possible: clients parse them best. */
#include "libmail/imap_format.h"

#include "libmail/imap_lex.h"
#include "libmail/imap_mailbox.h"

#define QUOTED_MAX 4096

/* can_be_quoted - short enough, and no byte that quotes cannot hold? */
static bool
can_be_quoted(struct slice s)
{
	if (s.len > QUOTED_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.data[i] >= 0x80 || s.data[i] == '\0' ||
		    s.data[i] == '\r' || s.data[i] == '\n')
			return false;
	return true;
}

/* format_literal - {n} and the bytes */
static void
format_literal(struct buf *out, struct slice s)
{
	buf_addf(out, "{%zu}\r\n", s.len);
	while (s.len > 0) {
		size_t	nul = slice_find(s, '\0');

		if (nul == SLICE_NONE)
			nul = s.len;
		buf_add(out, slice_sub(s, 0, nul));
		s = slice_from(s, nul);
		if (s.len > 0) {
			buf_add_byte(out, ' ');
			s = slice_from(s, 1);
		}
	}
}

/* imap_format_string - quoted or literal */
void
imap_format_string(struct buf *out, struct slice s)
{
	if (!can_be_quoted(s)) {
		format_literal(out, s);
		return;
	}
	buf_add_byte(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] == '"' || s.data[i] == '\\')
			buf_add_byte(out, '\\');
		buf_add_byte(out, s.data[i]);
	}
	buf_add_byte(out, '"');
}

/* imap_format_nstring - a string or NIL */
void
imap_format_nstring(struct buf *out, struct slice s)
{
	if (s.data == NULL)
		buf_add(out, S("NIL"));
	else
		imap_format_string(out, s);
}

/* imap_format_astring - without quotes if possible */
void
imap_format_astring(struct buf *out, struct slice s)
{
	/* a bare NIL would be read as no string by lenient clients */
	if (imap_is_astring_bare(s) && !slice_equal_nocase(s, S("NIL")))
		buf_add(out, s);
	else
		imap_format_string(out, s);
}

/* imap_format_mailbox - in modified UTF-7 */
void
imap_format_mailbox(struct buf *out, struct slice utf8)
{
	struct buf	wire = BUF_INIT;

	imap_utf7_encode(&wire, utf8);
	imap_format_astring(out, buf_slice(&wire));
	buf_free(&wire);
}

/* imap_format_capabilities - those of one of the two states */
void
imap_format_capabilities(struct buf *out, bool authenticated)
{
	enum { ALWAYS, BEFORE, AFTER };
	static const struct {
		const char	*name;
		int		when;
	} all[] = {
#define IMAP_CAPABILITY(name, when) { name, when },
#include "libmail/imap_capabilities.def"
	};
	int	unwanted = authenticated ? BEFORE : AFTER;
	bool	first = true;

	for (size_t i = 0; i < COUNT(all); i++) {
		if (all[i].when == unwanted)
			continue;
		if (!first)
			buf_add_byte(out, ' ');
		buf_add_text(out, all[i].name);
		first = false;
	}
}
