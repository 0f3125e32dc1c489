/* SPDX-License-Identifier: ISC */
/*
 * The commands but for MAIL and RCPT, whose parameters fill smtp_args.c.
 */
#include "libmail/smtp.h"

#include "libutil/arena.h"
#include "libutil/cursor.h"

enum args { ARGS_NONE, ARGS_SOME, ARGS_MAYBE };

static const struct verb_row {
	const char	*name;
	enum args	args;
} verb_rows[SMTP_VERB_COUNT] = {
#define VERB(name, args, rfc, gist) \
	[SMTP_VERB_##name] = { #name, ARGS_##args },
#include "libmail/smtp_verbs.def"
};

/* smtp_verb_name - as it is sent */
const char *
smtp_verb_name(enum smtp_verb verb)
{
	return verb == SMTP_VERB_NONE ? "" : verb_rows[verb].name;
}

/* find_verb - the verb that the word is */
static enum smtp_verb
find_verb(struct slice word)
{
	for (size_t i = SMTP_VERB_NONE + 1; i < SMTP_VERB_COUNT; i++)
		if (slice_equal_nocase(word, slice_of(verb_rows[i].name)))
			return (enum smtp_verb)i;
	return SMTP_VERB_NONE;
}

/* trim - without blanks at both ends */
static struct slice
trim(struct slice s)
{
	while (s.len > 0 && ascii_is_blank(s.data[0]))
		s = slice_from(s, 1);
	while (s.len > 0 && ascii_is_blank(s.data[s.len - 1]))
		s.len--;
	return s;
}

/* smtp_parse_verb - the verb and what follows it */
enum smtp_verb
smtp_parse_verb(struct slice line, struct slice *ret_word,
    struct slice *ret_args)
{
	size_t		end = 0;
	struct slice	word;

	line = trim(line);
	while (end < line.len && !ascii_is_blank(line.data[end]))
		end++;
	word = slice_sub(line, 0, end);
	if (ret_word != NULL)
		*ret_word = word;
	*ret_args = trim(slice_from(line, end));
	return find_verb(word);
}

/* refuse - say why, and that it is malformed */
static int
refuse(struct status *ret_refusal, const char *enhanced, const char *text)
{
	if (ret_refusal != NULL)
		*ret_refusal = status_make(501, enhanced, "%s", text);
	return -EBADMSG;
}

/* smtp_check_args - are there arguments as the table wants it? */
int
smtp_check_args(enum smtp_verb verb, struct slice args,
    struct status *ret_refusal)
{
	const char	*name = smtp_verb_name(verb);

	if (verb == SMTP_VERB_NONE)
		return 0;
	if (verb_rows[verb].args == ARGS_NONE && args.len > 0) {
		if (ret_refusal != NULL)
			*ret_refusal = status_make(501, "5.5.4",
			    "Syntax: %s without arguments", name);
		return -EBADMSG;
	}
	if (verb_rows[verb].args == ARGS_SOME && args.len == 0) {
		if (ret_refusal != NULL)
			*ret_refusal = status_make(501, "5.5.4",
			    "Syntax: %s needs an argument", name);
		return -EBADMSG;
	}
	return 0;
}

/* smtp_parse_helo - the name a client gives itself (RFC 5321 4.1.1.1) */
int
smtp_parse_helo(struct slice args, struct arena *a, unsigned flags,
    struct smtp_helo *ret_helo, struct status *ret_refusal)
{
	struct smtp_helo	helo = { .domain = DOMAIN_INIT };
	unsigned		domain_flags = DOMAIN_LITERAL | DOMAIN_LENIENT;

	if (args.len == 0)
		return refuse(ret_refusal, "5.5.4", "Host name is missing");
	for (size_t i = 0; i < args.len; i++) {
		unsigned char	b = (unsigned char)args.data[i];

		if (b < ' ' || b == 0x7f)
			return refuse(ret_refusal, "5.5.2",
			    "Host name holds a control character");
	}
	if (flags & SMTP_UTF8)
		domain_flags |= DOMAIN_UTF8;
	helo.text = arena_dup(a, slice_sub(args, 0, DOMAIN_MAX));
	/* a name that is none is for smtpd_helo_restrictions to refuse */
	if (domain_parse(args, a, domain_flags, &helo.domain) < 0)
		helo.domain = (struct domain)DOMAIN_INIT;
	*ret_helo = helo;
	return 0;
}

/* smtp_parse_bdat - "1000", "0 LAST" (RFC 3030 2, which bounds no number) */
int
smtp_parse_bdat(struct slice args, struct smtp_bdat *ret_bdat,
    struct status *ret_refusal)
{
	struct cursor		c = cursor_over(args);
	struct smtp_bdat	bdat = { 0, false };
	struct slice		digits;
	bool			ok;

	digits = cursor_take_while(&c, ascii_is_digit);
	ok = digits.len > 0;
	if (slice_to_u64(digits, SMTP_BDAT_MAX, &bdat.size) < 0)
		bdat.size = SMTP_BDAT_MAX;
	if (ok && cursor_skip_blanks(&c) > 0)
		bdat.last = ok = cursor_skip_nocase(&c, S("LAST"));
	if (!ok || !cursor_at_end(&c))
		return refuse(ret_refusal, "5.5.4",
		    "Syntax: BDAT count [LAST]");
	*ret_bdat = bdat;
	return 0;
}

/* is_mechanism_byte - RFC 4422 3.1, and lower case, which clients send */
static bool
is_mechanism_byte(char c)
{
	return ascii_is_alnum(c) || c == '-' || c == '_';
}

/* is_base64_byte - RFC 4648 4, padding included */
static bool
is_base64_byte(char c)
{
	return ascii_is_alnum(c) || c == '+' || c == '/' || c == '=';
}

/* smtp_parse_auth - "PLAIN AGEAYg==" (RFC 4954 4) */
int
smtp_parse_auth(struct slice args, struct arena *a, struct smtp_auth *ret_auth,
    struct status *ret_refusal)
{
	struct cursor		c = cursor_over(args);
	struct smtp_auth	auth = { .has_initial = false };
	struct slice		name = cursor_take_while(&c, is_mechanism_byte);
	char			*upper;

	if (name.len == 0 || name.len > 20)
		return refuse(ret_refusal, "5.5.4",
		    "Syntax: AUTH mechanism [initial response]");
	if (cursor_skip_blanks(&c) > 0) {
		auth.has_initial = true;
		auth.initial = cursor_take_while(&c, is_base64_byte);
		if (auth.initial.len == 0)
			return refuse(ret_refusal, "5.5.2",
			    "Initial response is not base64");
	}
	if (!cursor_at_end(&c))
		return refuse(ret_refusal, "5.5.4",
		    "Syntax: AUTH mechanism [initial response]");

	upper = arena_text(a, name);
	for (size_t i = 0; i < name.len; i++)
		upper[i] = ascii_upper(upper[i]);
	auth.mechanism = slice_over(upper, name.len);
	if (slice_equal(auth.initial, S("=")))
		auth.initial = SLICE_EMPTY;	/* present, and empty */
	auth.initial = arena_dup(a, auth.initial);
	*ret_auth = auth;
	return 0;
}

/* smtp_parse_vrfy - an address (RFC 5321 4.1.1.6) */
int
smtp_parse_vrfy(struct slice args, struct arena *a, unsigned flags,
    struct addr *ret_addr, struct status *ret_refusal)
{
	unsigned	addr_flags = ADDR_MAY_LACK_DOMAIN;
	struct cursor	c;
	struct addr	addr;

	/* brackets or not: the argument is just a String */
	addr_flags |= ADDR_LENIENT;
	if (flags & SMTP_UTF8)
		addr_flags |= ADDR_UTF8;
	if (slice_has_suffix_nocase(args, S(" SMTPUTF8"))) {
		args.len -= sizeof(" SMTPUTF8") - 1;
		addr_flags |= ADDR_UTF8;
	}
	c = cursor_over(trim(args));
	if (addr_parse_path(&c, a, addr_flags, &addr) < 0 ||
	    !cursor_at_end(&c))
		return refuse(ret_refusal, "5.1.3", "Bad address syntax");
	*ret_addr = addr;
	return 0;
}
