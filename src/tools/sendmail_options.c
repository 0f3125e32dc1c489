/* SPDX-License-Identifier: ISC */
/*
 * sendmail's command line. Options of Sendmail that say how it is to work,
 * and mean nothing here, are taken and change nothing, as with Postfix.
 */
#include <getopt.h>
#include <pwd.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "libutil/arena.h"
#include "tools/sendmail.h"

/* set_body - -B */
static int
set_body(struct sendmail *s, const char *text)
{
	if (strcmp(text, "8BITMIME") == 0)
		s->drop.body_8bit = true;
	else if (strcmp(text, "7BIT") != 0) {
		(void)tool_fail(s->tool, "-B %s: give 7BIT or 8BITMIME", text);
		return EX_USAGE;
	}
	return EX_OK;
}

/* set_mode - -b */
static int
set_mode(struct sendmail *s, const char *text)
{
	switch (text[0]) {
	case 'm':
		s->mode = SENDMAIL_SUBMIT;
		return EX_OK;
	case 's':
		s->mode = SENDMAIL_SMTP;
		return EX_OK;
	case 'p':
		s->mode = SENDMAIL_MAILQ;
		return EX_OK;
	case 'i':
		s->mode = SENDMAIL_NEWALIASES;
		return EX_OK;
	case 'd':
	case 'l':
		(void)tool_fail(s->tool, "-b%s: the server is started with "
		    "\"barid start\"", text);
		return EX_USAGE;
	case 'v':
		(void)tool_fail(s->tool, "-bv is not done here: send a message "
		    "with -N success, and its reports tell where it went");
		return EX_UNAVAILABLE;
	default:
		(void)tool_fail(s->tool, "-b%s is not done here", text);
		return EX_USAGE;
	}
}

/* set_notify - -N (RFC 3461 4.1) */
static int
set_notify(struct sendmail *s, const char *text)
{
	static const struct { const char *word; uint32_t bit; } words[] = {
		{ "never", 1 }, { "success", 2 }, { "failure", 4 },
		{ "delay", 8 },
	};
	struct slice rest = slice_of(text), word;

	while (slice_next_word(&rest, ", ", &word)) {
		uint32_t bit = 0;

		for (size_t i = 0; i < COUNT(words); i++)
			if (slice_equal_nocase(word, slice_of(words[i].word)))
				bit = words[i].bit;
		s->drop.notify |= bit;
		if (bit == 0 || (s->drop.notify & 1 && s->drop.notify != 1)) {
			(void)tool_fail(s->tool, "-N %s: give never, or some "
			    "of success,failure,delay", text);
			return EX_USAGE;
		}
	}
	return EX_OK;
}

/* set_return - -R (RFC 3461 4.3) */
static int
set_return(struct sendmail *s, const char *text)
{
	if (slice_equal_nocase(slice_of(text), S("full")))
		s->drop.ret = 1;
	else if (slice_equal_nocase(slice_of(text), S("hdrs")))
		s->drop.ret = 2;
	else {
		(void)tool_fail(s->tool, "-R %s: give full or hdrs", text);
		return EX_USAGE;
	}
	return EX_OK;
}

/* set_sender - -f, -r */
static void
set_sender(struct sendmail *s, const char *text)
{
	struct slice sender = slice_of(text);

	if (sender.len >= 2 && sender.data[0] == '<' &&
	    sender.data[sender.len - 1] == '>')
		sender = slice_sub(sender, 1, sender.len - 2);
	s->drop.null_sender = sender.len == 0;
	s->drop.sender = sender;
}

/* set_queue - -q, -qIid, -qRsite, -qSsite: an attempt now. A time says how
 * often a server would; it is taken, as with Postfix. */
static int
set_queue(struct sendmail *s, const char *text)
{
	if (text != NULL && ascii_is_digit(text[0]))
		return EX_OK;
	s->mode = SENDMAIL_FLUSH;
	if (text == NULL || text[0] == '\0')
		return EX_OK;
	if (text[1] != '\0' && text[0] == 'I')
		s->flush_id = text + 1;
	else if (text[1] != '\0' && (text[0] == 'R' || text[0] == 'S'))
		s->flush_site = text + 1;
	else {
		(void)tool_fail(s->tool, "-q%s: give -q, -qIqueue_id or "
		    "-qRsite", text);
		return EX_USAGE;
	}
	return EX_OK;
}

/* set_long - -O name=value; of those that Postfix knows none is passed over */
static int
set_long(struct sendmail *s, const char *text)
{
	struct slice	rest = slice_of(text);
	struct slice	name = slice_split(&rest, '=');
	bool		yes = rest.len == 0 || slice_equal_nocase(rest, S("yes"));

	if (slice_equal_nocase(name, S("smtputf8")))
		s->drop.smtputf8 = yes;
	else if (slice_equal_nocase(name, S("requiretls")) && yes) {
		(void)tool_fail(s->tool, "-O %s: REQUIRETLS is not done here",
		    text);
		return EX_UNAVAILABLE;
	}
	return EX_OK;
}

/* set_x - -X: a log file, of no use here, or -XV, which is VERP */
static int
set_x(struct sendmail *s, const char *text)
{
	if (text[0] != 'V')
		return EX_OK;
	(void)tool_fail(s->tool, "-XV: VERP is not done here");
	return EX_UNAVAILABLE;
}

/* set_o - -o, of which only -oi, -o7 and -o8 mean something */
static int
set_o(struct sendmail *s, const char *text)
{
	if (strcmp(text, "i") == 0)
		s->dots = false;
	else if (strcmp(text, "8") == 0)
		s->drop.body_8bit = true;
	return EX_OK;
}

static int
one_option(struct sendmail *s, int c)
{
	switch (c) {
	case 'B':
		return set_body(s, optarg);
	case 'b':
		return set_mode(s, optarg);
	case 'C':
		s->tool->config_directory = optarg;
		return EX_OK;
	case 'F':
		s->drop.full_name = slice_of(optarg);
		return EX_OK;
	case 'f':
	case 'r':
		set_sender(s, optarg);
		return EX_OK;
	case 'I':
		s->mode = SENDMAIL_NEWALIASES;
		return EX_OK;
	case 'i':
		s->dots = false;
		return EX_OK;
	case 'N':
		return set_notify(s, optarg);
	case 'O':
		return set_long(s, optarg);
	case 'o':
		return set_o(s, optarg);
	case 'G':
		s->drop.relayed = true;
		return EX_OK;
	case 'q':
		return set_queue(s, optarg);
	case 'X':
		return set_x(s, optarg);
	case 'R':
		return set_return(s, optarg);
	case 't':
		s->drop.extract = true;
		return EX_OK;
	case 'V':
		s->drop.envid = slice_of(optarg);
		return EX_OK;
	case '?':
		return EX_USAGE;
	default:
		return EX_OK;	/* A h L m n p U v: see above */
	}
}

/* fits - texts from the command line that are too long, or hold what no
 * address does, are refused here, while somebody reads it */
static int
fits(struct sendmail *s, const char *what, struct slice text, size_t max)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f) {
			(void)tool_fail(s->tool, "the %s holds a control "
			    "character", what);
			return EX_USAGE;
		}
	if (text.len <= max)
		return EX_OK;
	(void)tool_fail(s->tool, "the %s is longer than %zu bytes", what, max);
	return EX_USAGE;
}

/* check - all texts */
static int
check(struct sendmail *s)
{
	int r = fits(s, "sender", s->drop.sender, 512);

	if (r == EX_OK)
		r = fits(s, "envelope id", s->drop.envid, 100);
	if (r == EX_OK)
		r = fits(s, "full name", s->drop.full_name, SIZE_MAX);
	for (size_t i = 0; r == EX_OK && i < s->drop.rcpts.n; i++) {
		r = fits(s, "recipient", s->drop.rcpts.v[i].address, 512);
		if (s->drop.rcpts.v[i].address.len == 0) {
			(void)tool_fail(s->tool, "a recipient is empty");
			r = EX_USAGE;
		}
	}
	return r;
}

/* sendmail_options - all of them, and the recipients */
int
sendmail_options(struct sendmail *s, int argc, char **argv)
{
	size_t	count = 0;
	int	c, r;

	s->dots = true;
	while ((c = getopt(argc, argv,
	    "A:B:C:F:GIL:N:O:R:UV:X:b:ce:f:h:imno:p:q::r:tvx")) != -1)
		if ((r = one_option(s, c)) != EX_OK)
			return r;
	if (argc - optind > SENDMAIL_RCPTS_MAX) {
		(void)tool_fail(s->tool, "more than %d recipients",
		    SENDMAIL_RCPTS_MAX);
		return EX_USAGE;
	}
	s->drop.rcpts.v = ARENA_ARRAY(&s->tool->arena, struct msg_drop_rcpt,
	    SENDMAIL_RCPTS_MAX);
	for (; optind < argc; optind++)
		s->drop.rcpts.v[count++].address = slice_of(argv[optind]);
	s->drop.rcpts.n = count;
	if (s->mode != SENDMAIL_SUBMIT && count > 0) {
		(void)tool_fail(s->tool, "recipients are for messages only: "
		    "leave out \"%.*s\"",
		    SLICE_ARG(s->drop.rcpts.v[0].address));
		return EX_USAGE;
	}
	if (s->mode == SENDMAIL_SUBMIT && count == 0 && !s->drop.extract) {
		(void)tool_fail(s->tool, "give recipients, or -t to have them "
		    "read from the message's header");
		return EX_USAGE;
	}
	return check(s);
}

/* sendmail_user - the login name, and the full name of the password file */
int
sendmail_user(struct sendmail *s)
{
	const struct passwd	*pw = getpwuid(getuid());
	const char		*own = getenv("NAME");
	struct arena		*a = &s->tool->arena;
	struct slice		 gecos;

	if (s->drop.sender.len == 0 && !s->drop.null_sender) {
		if (pw == NULL) {
			(void)tool_fail(s->tool, "user %u has no name; give "
			    "the sender with -f", (unsigned)getuid());
			return EX_NOUSER;
		}
		s->drop.sender = arena_dup(a, slice_of(pw->pw_name));
	}
	if (s->drop.full_name.len == 0 && own != NULL)
		s->drop.full_name = slice_of(own);
	if (s->drop.full_name.len == 0 && pw != NULL) {
		gecos = slice_of(pw->pw_gecos);
		s->drop.full_name = arena_dup(a, slice_split(&gecos, ','));
	}
	s->drop.full_name = slice_sub(s->drop.full_name, 0, 255);
	return EX_OK;
}
