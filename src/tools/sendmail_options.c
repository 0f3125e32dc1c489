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
		s->begin.body_8bit = true;
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
	default:
		(void)tool_fail(s->tool, "-b%s is not done here; the server "
		    "is started with \"barid start\"", text);
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
		s->begin.notify |= bit;
		if (bit == 0 || (s->begin.notify & 1 && s->begin.notify != 1)) {
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
		s->begin.ret = 1;
	else if (slice_equal_nocase(slice_of(text), S("hdrs")))
		s->begin.ret = 2;
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
	s->begin.null_sender = sender.len == 0;
	s->begin.sender = sender;
}

/* set_o - -o, of which only -oi, -o7 and -o8 mean something */
static int
set_o(struct sendmail *s, const char *text)
{
	if (strcmp(text, "i") == 0)
		s->dots = false;
	else if (strcmp(text, "8") == 0)
		s->begin.body_8bit = true;
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
		s->begin.full_name = slice_of(optarg);
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
		if (strncmp(optarg, "SMTPUTF8", 8) == 0)
			s->begin.smtputf8 = true;
		return EX_OK;
	case 'o':
		return set_o(s, optarg);
	case 'R':
		return set_return(s, optarg);
	case 't':
		s->begin.extract = true;
		return EX_OK;
	case 'V':
		s->begin.envid = slice_of(optarg);
		return EX_OK;
	case '?':
		return EX_USAGE;
	default:
		return EX_OK;	/* A G h L m n p q U v X: see above */
	}
}

/* sendmail_options - all of them, and the recipients */
int
sendmail_options(struct sendmail *s, int argc, char **argv)
{
	size_t	count = 0;
	int	c, r;

	s->dots = true;
	while ((c = getopt(argc, argv,
	    "A:B:C:F:GIL:N:O:R:UV:X:b:ce:f:h:imno:p:q:r:tvx")) != -1)
		if ((r = one_option(s, c)) != EX_OK)
			return r;
	if (argc - optind > SENDMAIL_RCPTS_MAX) {
		(void)tool_fail(s->tool, "more than %d recipients",
		    SENDMAIL_RCPTS_MAX);
		return EX_USAGE;
	}
	s->begin.rcpts.v = ARENA_ARRAY(&s->tool->arena, struct msg_pickup_rcpt,
	    SENDMAIL_RCPTS_MAX);
	for (; optind < argc; optind++)
		s->begin.rcpts.v[count++].address = slice_of(argv[optind]);
	s->begin.rcpts.n = count;
	if (s->mode == SENDMAIL_SUBMIT && count == 0 && !s->begin.extract) {
		(void)tool_fail(s->tool, "give recipients, or -t to have them "
		    "read from the message's header");
		return EX_USAGE;
	}
	return EX_OK;
}

/* sendmail_user - the login name, and the full name of the password file */
int
sendmail_user(struct sendmail *s)
{
	const struct passwd	*pw = getpwuid(getuid());
	const char		*own = getenv("NAME");
	struct arena		*a = &s->tool->arena;
	struct slice		 gecos;

	if (s->begin.sender.len == 0 && !s->begin.null_sender) {
		if (pw == NULL) {
			(void)tool_fail(s->tool, "user %u has no name; give "
			    "the sender with -f", (unsigned)getuid());
			return EX_NOUSER;
		}
		s->begin.sender = arena_dup(a, slice_of(pw->pw_name));
	}
	if (s->begin.full_name.len == 0 && own != NULL)
		s->begin.full_name = slice_of(own);
	if (s->begin.full_name.len == 0 && pw != NULL) {
		gecos = slice_of(pw->pw_gecos);
		s->begin.full_name = arena_dup(a, slice_split(&gecos, ','));
	}
	s->begin.full_name = slice_sub(s->begin.full_name, 0, 255);
	return EX_OK;
}
