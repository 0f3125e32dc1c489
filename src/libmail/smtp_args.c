/* SPDX-License-Identifier: ISC */
/*
 * MAIL and RCPT: a path, then parameters. Names, where they may stand and how
 * long they may be come from smtp_params.def; one function for each knows
 * what its value means.
 */
#include "libmail/smtp.h"
#include "libmail/smtp_xtext.h"
#include "libutil/arena.h"
#include "libutil/cursor.h"
#include "libutil/utf8.h"

enum command { COMMAND_MAIL, COMMAND_RCPT };
enum value { VALUE_NONE, VALUE_SOME };

static const struct param_row {
	const char	*name;
	enum command	 command;
	enum value	 value;
	size_t		 max;
} param_rows[SMTP_PARAM_COUNT] = {
#define PARAM(name, command, value, max, rfc, gist) \
	{ #name, COMMAND_##command, VALUE_##value, max },
#include "libmail/smtp_params.def"
};

/* what the functions below share about the command being read */
struct reading {
	enum command	 command;
	struct arena	*arena;
	unsigned	 flags;		/* SMTP_ */
	struct smtp_mail *mail;		/* one of them */
	struct smtp_rcpt *rcpt;
	uint32_t	 given;
	struct status	*refusal;
};

/* refuse - note the reply, return the errno */
__attribute__((format(printf, 5, 6)))
static int
refuse(const struct reading *g, int error, unsigned code, const char *enhanced,
    const char *format, ...)
{
	va_list	ap;

	va_start(ap, format);
	if (g->refusal != NULL)
		*g->refusal = status_vmake(code, enhanced, format, ap);
	va_end(ap);
	return error;
}

/* is_printable - ASCII without controls? */
static bool
is_printable(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < ' ' || s.data[i] > '~')
			return false;
	return true;
}

/* has_control - is there a control character in it? */
static bool
has_control(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.data[i] < ' ' || s.data[i] == 0x7f)
			return true;
	return false;
}

/* read_size - octets (RFC 1870 6.1) */
static int
read_size(const struct reading *g, struct slice value)
{
	int	r = slice_to_u64(value, INT64_MAX, &g->mail->size);

	/* a size that nobody can count to is one, and above every limit */
	if (r == -ERANGE) {
		g->mail->size = INT64_MAX;
		return 0;
	}
	return r;
}

/* read_body - RFC 6152 2, RFC 3030 3 */
static int
read_body(const struct reading *g, struct slice value)
{
	if (slice_equal_nocase(value, S("7BIT")))
		g->mail->body = SMTP_BODY_7BIT;
	else if (slice_equal_nocase(value, S("8BITMIME")))
		g->mail->body = SMTP_BODY_8BITMIME;
	else if (slice_equal_nocase(value, S("BINARYMIME")))
		g->mail->body = SMTP_BODY_BINARYMIME;
	else
		return -EBADMSG;
	return 0;
}

/* read_ret - RFC 3461 4.3 */
static int
read_ret(const struct reading *g, struct slice value)
{
	if (slice_equal_nocase(value, S("FULL")))
		g->mail->ret = SMTP_RET_FULL;
	else if (slice_equal_nocase(value, S("HDRS")))
		g->mail->ret = SMTP_RET_HDRS;
	else
		return -EBADMSG;
	return 0;
}

/* read_envid - printable ASCII as xtext (RFC 3461 4.4) */
static int
read_envid(const struct reading *g, struct slice value)
{
	struct slice	envid;
	int		r;

	if ((r = smtp_xtext_decode(value, g->arena, &envid)) < 0)
		return r;
	if (!is_printable(envid))
		return -EBADMSG;
	g->mail->envid = envid;
	return 0;
}

/* read_auth - a mailbox or <>, as xtext (RFC 4954 5) */
static int
read_auth(const struct reading *g, struct slice value)
{
	struct slice	text;
	struct addr	addr;
	int		r;

	if ((r = smtp_xtext_decode(value, g->arena, &text)) < 0)
		return r;
	if (slice_equal(text, S("<>")))
		text = SLICE_EMPTY;
	else if ((r = addr_parse(text, g->arena, ADDR_LENIENT | ADDR_UTF8 |
	    ADDR_MAY_LACK_DOMAIN, &addr)) < 0)
		return r;
	g->mail->auth = text;
	return 0;
}

/* read_notify - NEVER, or a list of the others (RFC 3461 4.1) */
static int
read_notify(const struct reading *g, struct slice value)
{
	unsigned	notify = 0;
	struct slice	word;

	if (slice_equal_nocase(value, S("NEVER"))) {
		g->rcpt->notify = SMTP_NOTIFY_NEVER;
		return 0;
	}
	if (value.data[value.len - 1] == ',')
		return -EBADMSG;
	while (value.len > 0) {
		word = slice_split(&value, ',');
		if (slice_equal_nocase(word, S("SUCCESS")))
			notify |= SMTP_NOTIFY_SUCCESS;
		else if (slice_equal_nocase(word, S("FAILURE")))
			notify |= SMTP_NOTIFY_FAILURE;
		else if (slice_equal_nocase(word, S("DELAY")))
			notify |= SMTP_NOTIFY_DELAY;
		else
			return -EBADMSG;
	}
	g->rcpt->notify = notify;
	return 0;
}

/* is_atom - may it be an address type (RFC 3461 4.2)? */
static bool
is_atom(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_alnum(s.data[i]) && s.data[i] != '-')
			return false;
	return s.len > 0;
}

/* read_orcpt - "rfc822;xtext", "utf-8;..." (RFC 3461 4.2, RFC 6533 3) */
static int
read_orcpt(const struct reading *g, struct slice value)
{
	struct slice	type = slice_split(&value, ';'), text = value;
	bool		ascii = utf8_is_ascii(value);
	int		r;

	if (!is_atom(type) || value.len == 0)
		return -EBADMSG;
	if (!ascii && !(g->flags & SMTP_UTF8))
		return -EBADMSG;
	/* what has no + in it is the same before and after */
	if (ascii && (r = smtp_xtext_decode(value, g->arena, &text)) < 0)
		return r;
	if (slice_equal_nocase(type, S("utf-8"))) {
		if ((r = smtp_unitext_decode(text, g->arena, &text)) < 0)
			return r;
	} else if (!utf8_is_ascii(text)) {
		return -EBADMSG;
	}
	if (text.len == 0 || has_control(text))
		return -EBADMSG;
	g->rcpt->orcpt_type = arena_dup(g->arena, type);
	g->rcpt->orcpt = text;
	return 0;
}

/* read_value - what the value of a parameter means */
static int
read_value(const struct reading *g, enum smtp_param param, struct slice value)
{
	switch (param) {
	case SMTP_PARAM_SIZE:
		return read_size(g, value);
	case SMTP_PARAM_BODY:
		return read_body(g, value);
	case SMTP_PARAM_SMTPUTF8:
		g->mail->smtputf8 = true;
		return 0;
	case SMTP_PARAM_RET:
		return read_ret(g, value);
	case SMTP_PARAM_ENVID:
		return read_envid(g, value);
	case SMTP_PARAM_AUTH:
		return read_auth(g, value);
	case SMTP_PARAM_PRDR:
		g->mail->prdr = true;
		return 0;
	case SMTP_PARAM_NOTIFY:
		return read_notify(g, value);
	case SMTP_PARAM_ORCPT:
		return read_orcpt(g, value);
	case SMTP_PARAM_COUNT:
		break;
	}
	return -EBADMSG;
}

/* find_param - the row of that name for this command, or SMTP_PARAM_COUNT */
static enum smtp_param
find_param(struct slice name, enum command command)
{
	size_t	i;

	for (i = 0; i < SMTP_PARAM_COUNT; i++)
		if (param_rows[i].command == command &&
		    slice_equal_nocase(name, slice_of(param_rows[i].name)))
			break;
	return (enum smtp_param)i;
}

/* read_param - one parameter, NAME or NAME=value */
static int
read_param(struct reading *g, struct slice word)
{
	struct slice		value = word, name = slice_split(&value, '=');
	bool			has_value = name.len < word.len;
	enum smtp_param		param = find_param(name, g->command);
	const struct param_row	*row;
	int			r;

	if (param == SMTP_PARAM_COUNT)
		return refuse(g, -EOPNOTSUPP, 555, "5.5.4",
		    "Unsupported option: %.*s",
		    SLICE_ARG(slice_sub(word, 0, 64)));
	row = &param_rows[param];
	if (g->given >> param & 1)
		return refuse(g, -EBADMSG, 501, "5.5.4",
		    "%s is given more than once", row->name);
	if (has_value != (row->value == VALUE_SOME) ||
	    (has_value && value.len == 0))
		return refuse(g, -EBADMSG, 501, "5.5.4",
		    has_value && value.len > 0 ? "%s takes no value" :
		    "%s needs a value", row->name);
	if (value.len > row->max)
		return refuse(g, -EMSGSIZE, 501, "5.5.4",
		    "Value of %s is too long", row->name);
	if ((r = read_value(g, param, value)) < 0)
		return refuse(g, r, 501, "5.5.4", "Bad value of %s", row->name);
	g->given |= 1u << param;
	return 0;
}

/* is_not_blank - part of a parameter? */
static bool
is_not_blank(char c)
{
	return !ascii_is_blank(c);
}

/* read_params - what follows the path */
static int
read_params(struct reading *g, struct cursor *c)
{
	size_t	blanks;
	int	r;

	while (!cursor_at_end(c)) {
		blanks = cursor_skip_blanks(c);
		if (cursor_at_end(c))
			break;
		if (blanks == 0 || (blanks > 1 && (g->flags & SMTP_STRICT)))
			return refuse(g, -EBADMSG, 501, "5.5.4", "Syntax: %s",
			    g->command == COMMAND_MAIL ?
			    "MAIL FROM:<address> [parameters]" :
			    "RCPT TO:<address> [parameters]");
		if ((r = read_param(g, cursor_take_while(c, is_not_blank))) < 0)
			return r;
	}
	return 0;
}

/* refuse_address - why an address will not do */
static int
refuse_address(const struct reading *g, int error)
{
	const char	*enhanced, *what;

	enhanced = g->command == COMMAND_MAIL ? "5.1.7" : "5.1.3";
	what = g->command == COMMAND_MAIL ? "sender" : "recipient";
	if (error == -EMSGSIZE)
		return refuse(g, error, 501, enhanced,
		    "The %s address is too long", what);
	if (error == -EILSEQ)
		return refuse(g, error, 501, enhanced,
		    "The %s address is not UTF-8", what);
	if (error == -EOPNOTSUPP)		/* RFC 6531 3.5 */
		return refuse(g, error, 553, "5.6.7",
		    "The %s address needs SMTPUTF8", what);
	return refuse(g, error, 501, enhanced, "Bad %s address syntax", what);
}

/* read_path - "FROM:" or "TO:" and the path */
static int
read_path(const struct reading *g, struct cursor *c, unsigned addr_flags,
    struct addr *ret_addr)
{
	bool	mail = g->command == COMMAND_MAIL;
	int	r;

	if (!(g->flags & SMTP_STRICT))
		addr_flags |= ADDR_LENIENT | ADDR_MAY_LACK_DOMAIN;
	if (!cursor_skip_nocase(c, mail ? S("FROM:") : S("TO:")))
		return refuse(g, -EBADMSG, 501, "5.5.4", "Syntax: %s",
		    mail ? "MAIL FROM:<address>" : "RCPT TO:<address>");
	/* old Outlook Express and many scripts put a blank here */
	if (!(g->flags & SMTP_STRICT))
		(void)cursor_skip_blanks(c);
	if ((r = addr_parse_path(c, g->arena, addr_flags, ret_addr)) < 0)
		return refuse_address(g, r);
	return 0;
}

/* is_ascii_addr - no UTF-8 in it at all? */
static bool
is_ascii_addr(const struct addr *addr)
{
	return utf8_is_ascii(addr->text);
}

/* smtp_parse_mail - the arguments of MAIL (RFC 5321 4.1.1.2) */
int
smtp_parse_mail(struct slice args, struct arena *a, unsigned flags,
    struct smtp_mail *ret_mail, struct status *ret_refusal)
{
	struct cursor		c = cursor_over(args);
	struct smtp_mail	m = SMTP_MAIL_INIT;
	struct reading		g = { .command = COMMAND_MAIL, .arena = a,
				    .flags = flags, .mail = &m,
				    .refusal = ret_refusal };
	int			r;

	/* whether UTF-8 is announced stands behind the address */
	if ((r = read_path(&g, &c, ADDR_MAY_BE_NULL | ADDR_UTF8,
	    &m.sender)) < 0 || (r = read_params(&g, &c)) < 0)
		return r;
	if (!m.smtputf8 && !(flags & SMTP_UTF8) && !is_ascii_addr(&m.sender))
		return refuse_address(&g, -EOPNOTSUPP);
	m.given = g.given;
	*ret_mail = m;
	return 0;
}

/* smtp_parse_rcpt - the arguments of RCPT (RFC 5321 4.1.1.3) */
int
smtp_parse_rcpt(struct slice args, struct arena *a, unsigned flags,
    struct smtp_rcpt *ret_rcpt, struct status *ret_refusal)
{
	struct cursor		c = cursor_over(args);
	struct smtp_rcpt	rcpt = SMTP_RCPT_INIT;
	struct reading		g = { .command = COMMAND_RCPT, .arena = a,
				    .flags = flags, .rcpt = &rcpt,
				    .refusal = ret_refusal };
	int			r;

	if ((r = read_path(&g, &c, ADDR_MAY_BE_POSTMASTER |
	    ((flags & SMTP_UTF8) ? ADDR_UTF8 : 0), &rcpt.recipient)) < 0 ||
	    (r = read_params(&g, &c)) < 0)
		return r;
	rcpt.given = g.given;
	*ret_rcpt = rcpt;
	return 0;
}
