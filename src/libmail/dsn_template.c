/* SPDX-License-Identifier: ISC */
/*
 * The file is read line by line, once; a template is a row of slots for its
 * header lines and the span of its text. The built-in words are at the end.
 */
#include "libmail/dsn_template.h"

#include "libutil/buf.h"
#include "libutil/cursor.h"
#include "libutil/diag.h"
#include "libutil/utf8.h"

struct reading {
	struct cursor	 c;
	uint32_t	 line;		/* of the one taken last */
	struct diag	*diag;
};

/* take_line - the next line without its end; false at the end */
static bool
take_line(struct reading *g, struct slice *ret_line)
{
	struct slice	line;

	if (cursor_at_end(&g->c))
		return false;
	line = cursor_take_until(&g->c, '\n');
	(void)cursor_skip_byte(&g->c, '\n');
	g->line++;
	if (slice_has_suffix(line, S("\r")))
		line.len--;
	*ret_line = line;
	return true;
}

/* read_header - the header lines of a template, to the empty line */
static int
read_header(struct reading *g, struct slice end, struct dsn_template *t)
{
	const struct { struct slice name; struct slice *value; } rows[] = {
		{ S("Charset"), &t->charset },
		{ S("From"), &t->from },
		{ S("Subject"), &t->subject },
		{ S("Postmaster-Subject"), &t->postmaster_subject },
	};
	struct slice	line, name;
	size_t		i;

	while (take_line(g, &line)) {
		if (line.len == 0)
			return 0;
		if (slice_equal(line, end))
			break;
		name = slice_trim(slice_split(&line, ':'));
		for (i = 0; i < COUNT(rows); i++)
			if (slice_equal_nocase(name, rows[i].name))
				break;
		if (i == COUNT(rows))
			return diag_set(g->diag, g->line, 1,
			    "a template has no header \"%.*s\": use Charset, "
			    "From, Subject or Postmaster-Subject, then an "
			    "empty line",
			    SLICE_ARG(slice_sub(name, 0, 64)));
		*rows[i].value = slice_trim(line);
	}
	return diag_set(g->diag, g->line, 1,
	    "a template needs an empty line behind its header");
}

/* check - is the template whole? */
static int
check(const struct reading *g, const struct dsn_template *t, uint32_t line)
{
	if (t->from.len == 0 || t->subject.len == 0)
		return diag_set(g->diag, line, 1,
		    "the template's header needs From: and Subject:");
	if (!utf8_is_ascii(t->from) || !utf8_is_ascii(t->subject) ||
	    !utf8_is_ascii(t->postmaster_subject))
		return diag_set(g->diag, line, 1,
		    "the template's header must be ASCII: use encoded words");
	if (slice_equal_nocase(t->charset, S("us-ascii")) &&
	    !utf8_is_ascii(t->text))
		return diag_set(g->diag, line, 1, "the template's text is not "
		    "ASCII: say which character set it is in with Charset:");
	return 0;
}

/* read_template - one template, behind its "<<END" line */
static int
read_template(struct reading *g, struct slice end, struct dsn_template *t)
{
	struct dsn_template	new = { .charset = S("us-ascii") };
	uint32_t		first = g->line;
	struct cursor		start, before;
	struct slice		line;
	int			r;

	if ((r = read_header(g, end, &new)) < 0)
		return r;
	start = before = g->c;
	while (take_line(g, &line)) {
		if (slice_equal(line, end)) {
			new.text = cursor_since(&before, &start);
			if ((r = check(g, &new, first)) == 0)
				*t = new;
			return r;
		}
		before = g->c;
	}
	return diag_set(g->diag, first, 1, "the template has no end: a line "
	    "\"%.*s\" is missing", SLICE_ARG(slice_sub(end, 0, 64)));
}

/* find_kind - the template of that name, or DSN_KIND_COUNT */
static enum dsn_kind
find_kind(struct slice name)
{
	static const struct slice names[DSN_KIND_COUNT] = {
		[DSN_FAILURE] = S_INIT("failure_template"),
		[DSN_DELAY] = S_INIT("delay_template"),
		[DSN_SUCCESS] = S_INIT("success_template"),
		[DSN_VERIFY] = S_INIT("verify_template"),
	};
	size_t	i;

	for (i = 0; i < DSN_KIND_COUNT; i++)
		if (slice_equal(name, names[i]))
			break;
	return (enum dsn_kind)i;
}

/* dsn_template_parse - a bounce_template_file */
int
dsn_template_parse(struct slice file_text, struct dsn_templates *ret_templates,
    struct diag *diag)
{
	struct reading		g = { cursor_over(file_text), 0, diag };
	struct dsn_templates	all = dsn_templates_builtin;
	struct slice		line, name;
	enum dsn_kind		kind;
	int			r;

	if (file_text.len > DSN_TEMPLATE_FILE_MAX)
		return diag_set(diag, 0, 0, "the file is larger than %zu KiB",
		    DSN_TEMPLATE_FILE_MAX >> 10);
	while (take_line(&g, &line)) {
		line = slice_trim(line);
		if (line.len == 0 || line.data[0] == '#')
			continue;
		name = slice_trim(slice_split(&line, '='));
		line = slice_trim(line);
		if ((kind = find_kind(name)) == DSN_KIND_COUNT)
			return diag_set(diag, g.line, 1, "\"%.*s\" is no "
			    "template: use failure_template, delay_template, "
			    "success_template or verify_template",
			    SLICE_ARG(slice_sub(name, 0, 64)));
		if (!slice_has_prefix(line, S("<<")) || line.len == 2)
			return diag_set(diag, g.line, 1,
			    "write \"%.*s = <<EOF\", the template, and EOF",
			    SLICE_ARG(name));
		line = slice_trim(slice_from(line, 2));
		if ((r = read_template(&g, line, &all.of[kind])) < 0)
			return r;
	}
	*ret_templates = all;
	return 0;
}

/* is_name_byte - part of a parameter's name? */
static bool
is_name_byte(char c)
{
	return ascii_is_alnum(c) || c == '_';
}

/* read_time - "4h" in seconds; a number alone is seconds */
static int
read_time(struct slice value, uint64_t *ret_seconds)
{
	static const struct { char unit; uint32_t seconds; } units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
		{ 'w', 604800 },
	};
	struct cursor	c = cursor_over(value);
	uint64_t	n;
	int		r;

	if ((r = cursor_u64(&c, UINT32_MAX, &n)) < 0)
		return r;
	for (size_t i = 0; i < COUNT(units); i++)
		if (cursor_skip_byte(&c, units[i].unit)) {
			n *= units[i].seconds;
			break;
		}
	if (!cursor_at_end(&c))
		return -EBADMSG;
	*ret_seconds = n;
	return 0;
}

/* add_time - the value of a name like delay_warning_time_hours */
static bool
add_time(struct buf *out, struct slice name, dsn_lookup *lookup,
    void *lookup_arg)
{
	static const struct {
		struct slice	suffix;
		uint32_t	seconds;
	} units[] = {
		{ S_INIT("_seconds"), 1 }, { S_INIT("_minutes"), 60 },
		{ S_INIT("_hours"), 3600 }, { S_INIT("_days"), 86400 },
		{ S_INIT("_weeks"), 604800 },
	};
	struct slice	value;
	uint64_t	seconds;

	for (size_t i = 0; i < COUNT(units); i++) {
		if (!slice_has_suffix(name, units[i].suffix))
			continue;
		name.len -= units[i].suffix.len;
		if (!lookup(lookup_arg, name, &value) ||
		    read_time(value, &seconds) < 0)
			return false;
		buf_add_u64(out, seconds / units[i].seconds);
		return true;
	}
	return false;
}

/* take_name - the name behind a '$', with its brackets */
static struct slice
take_name(struct cursor *c)
{
	struct cursor	start = *c;
	struct slice	name;
	int		b = cursor_peek(c);

	if (b != '{' && b != '(')
		return cursor_take_while(c, is_name_byte);
	(void)cursor_byte(c);
	name = cursor_take_while(c, is_name_byte);
	if (cursor_skip_byte(c, b == '{' ? '}' : ')'))
		return name;
	*c = start;
	return SLICE_EMPTY;
}

/* expand_name - what stands behind a '$' */
static void
expand_name(struct buf *out, struct cursor *c, dsn_lookup *lookup,
    void *lookup_arg)
{
	struct cursor	start = *c;
	struct slice	name, value;

	if (cursor_skip_byte(c, '$')) {
		buf_add_byte(out, '$');
		return;
	}
	name = take_name(c);
	if (name.len > 0 && lookup != NULL) {
		if (lookup(lookup_arg, name, &value)) {
			buf_add(out, value);
			return;
		}
		if (add_time(out, name, lookup, lookup_arg))
			return;
	}
	buf_add_byte(out, '$');
	buf_add(out, cursor_since(c, &start));
}

/* dsn_template_expand - names to values, LF to CRLF */
void
dsn_template_expand(struct buf *out, struct slice text, dsn_lookup *lookup,
    void *lookup_arg)
{
	struct cursor	c = cursor_over(text);
	int		b;

	while ((b = cursor_byte(&c)) >= 0) {
		if (b == '\n')
			buf_add(out, S("\r\n"));
		else if (b == '$')
			expand_name(out, &c, lookup, lookup_arg);
		else if (b != '\r')
			buf_add_byte(out, (char)b);
	}
}

#define FROM	S_INIT("MAILER-DAEMON (Mail Delivery System)")
#define GREETING \
"This is the mail system at host $myhostname.\n\n"
#define ENDING \
"\n                   The mail system\n"

const struct dsn_templates dsn_templates_builtin = { {
	[DSN_FAILURE] = {
		S_INIT("us-ascii"), FROM,
		S_INIT("Undelivered Mail Returned to Sender"),
		S_INIT("Postmaster Copy: Undelivered Mail"),
		S_INIT(GREETING
"Your message could not be delivered to one or more recipients, and it\n"
"will not be tried again. The message, or its header, is attached.\n\n"
"The reason is given after each recipient below. If it does not tell you\n"
"what to do, write to the postmaster and include this report; you may\n"
"leave out your own text.\n" ENDING),
	},
	[DSN_DELAY] = {
		S_INIT("us-ascii"), FROM,
		S_INIT("Delayed Mail (still being retried)"),
		S_INIT("Postmaster Warning: Delayed Mail"),
		S_INIT(GREETING
"THIS IS ONLY A WARNING: you do not need to send your message again.\n\n"
"Your message has not reached one or more recipients for more than\n"
"$delay_warning_time_hours hour(s). It will be tried again until it is\n"
"$maximal_queue_lifetime_days day(s) old.\n\n"
"The reason for the delay is given after each recipient below. For help,\n"
"write to the postmaster and include this report.\n" ENDING),
	},
	[DSN_SUCCESS] = {
		S_INIT("us-ascii"), FROM,
		S_INIT("Successful Mail Delivery Report"),
		{ NULL, 0 },
		S_INIT(GREETING
"Your message was delivered to the recipients below, as you asked to be\n"
"told. Where it was passed on to a system that sends no such reports,\n"
"you will hear of it again only if delivery fails there.\n" ENDING),
	},
	[DSN_VERIFY] = {
		S_INIT("us-ascii"), FROM,
		S_INIT("Mail Delivery Status Report"),
		{ NULL, 0 },
		S_INIT(GREETING
"Here is what would happen to mail for the addresses that you asked\n"
"about. No message was sent to them.\n" ENDING),
	},
} };
