/* SPDX-License-Identifier: ISC */
/* master.cf: rows, what is wrong with rows, edits. */
#include "libglobal/mastercf.h"

#include "libutil/arena.h"
#include "libutil/diag.h"
#include "test.h"

/* rows as Postfix ships them and as admins write them */
static const char sample[] =
	"# comment\n"
	"\n"
	"smtp      inet  n       -       y       -       -       smtpd\n"
	"submission inet n       -       y       -       -       smtpd\n"
	"  -o syslog_name=postfix/submission\n"
	"#  -o commented=out\n"
	"\n"
	"  -o smtpd_tls_security_level=encrypt\n"
	"  -o { smtpd_recipient_restrictions = permit_sasl_authenticated,\n"
	"       reject }\n"
	"  -v -v\n"
	"127.0.0.1:10025 inet n - n - 10 smtpd -ocontent_filter= -o mynetworks=127.0.0.0/8\n"
	"[::1]:smtp inet n - n - 0 smtpd\n"
	"pickup    unix  n       -       y       60      1       pickup\n"
	"tlsmgr    unix  -       -       y       1000?   1       tlsmgr\n"
	"dovecot   unix  -       n       n       -       -       pipe\n"
	"  flags=DRhu user=vmail:vmail argv=/usr/lib/dovecot/deliver -d ${recipient}\n"
	"  { an argument with blanks } {}\n"
	"maildrop  unix  -       n       n       -       -       pipe\n"
	"maildrop  unix  -       n       n       -       5       pipe argv=x -o y\n"
	"postlog   unix-dgram n  -       n       -       1       postlogd\n"
	"smtpd     pass  -       -       y       -       -       smtpd -D\n";

/* parse - the sample, which is good */
static void
parse(struct arena *a, struct mastercf *cf)
{
	struct diag d = DIAG_INIT;

	if (CHECK_INT(mastercf_parse(slice_of(sample), "master.cf", a, &d, cf),
	    0, 0) < 0) {
		printf("# %u: %s\n", d.line, d.text);
		exit(1);
	}
}

TEST(rows)
{
	struct arena a = ARENA_INIT;
	const struct mastercf_service *s;
	struct mastercf cf;

	parse(&a, &cf);
	CHECK_INT((long long)cf.count, 10, 0);
	CHECK_INT(cf.replaced_line, 19, 0);
	s = mastercf_find(&cf, S("smtp"), MASTERCF_INET);
	if (CHECK(s != NULL, 0)) {
		CHECK_INT(s->line, 3, 0);
		CHECK_INT(s->is_private, MASTERCF_NO, 0);
		CHECK_INT(s->unprivileged, MASTERCF_DEFAULT, 0);
		CHECK_INT(s->chroot, MASTERCF_YES, 0);
		CHECK(s->maxproc_default, 0);
		CHECK_INT(s->wakeup, 0, 0);
		CHECK_TEXT(s->command, "smtpd", 0);
	}
	CHECK(mastercf_find(&cf, S("smtp"), MASTERCF_UNIX) == NULL, 0);
	s = mastercf_find(&cf, S("submission"), MASTERCF_INET);
	if (CHECK(s != NULL, 1) && CHECK_INT((long long)s->override_count, 3, 1)) {
		CHECK_TEXT(s->override[0].name, "syslog_name", 1);
		CHECK_TEXT(s->override[0].value, "postfix/submission", 1);
		CHECK_INT(s->override[0].line, 5, 1);
		CHECK_INT(s->override[1].line, 8, 1);
		CHECK_TEXT(s->override[2].value, "permit_sasl_authenticated,"
		    "       reject", 1);
		CHECK_INT(s->verbose, 2, 1);
	}
	s = mastercf_find(&cf, S("127.0.0.1:10025"), MASTERCF_INET);
	if (CHECK(s != NULL, 2) && CHECK_INT((long long)s->override_count, 2, 2)) {
		CHECK_TEXT(s->override[0].name, "content_filter", 2);
		CHECK_TEXT(s->override[0].value, "", 2);
		CHECK_TEXT(s->override[1].value, "127.0.0.0/8", 2);
		CHECK_INT(s->maxproc, 10, 2);
	}
	s = mastercf_find(&cf, S("tlsmgr"), MASTERCF_UNIX);
	if (CHECK(s != NULL, 3)) {
		CHECK_INT(s->wakeup, 1000, 3);
		CHECK(s->wakeup_if_used, 3);
	}
	s = mastercf_find(&cf, S("dovecot"), MASTERCF_UNIX);
	if (CHECK(s != NULL, 4) && CHECK_INT((long long)s->arg_count, 7, 4)) {
		CHECK_TEXT(s->arg[0], "flags=DRhu", 4);
		CHECK_TEXT(s->arg[3], "-d", 4);
		CHECK_TEXT(s->arg[5], "an argument with blanks", 4);
		CHECK_TEXT(s->arg[6], "", 4);
	}
	/* the later row counts; options end where arguments begin */
	s = mastercf_find(&cf, S("maildrop"), MASTERCF_UNIX);
	if (CHECK(s != NULL, 5)) {
		CHECK_INT(s->maxproc, 5, 5);
		CHECK_INT((long long)s->override_count, 0, 5);
		CHECK_INT((long long)s->arg_count, 3, 5);
	}
	s = mastercf_find(&cf, S("smtpd"), MASTERCF_PASS);
	CHECK(s != NULL && s->debug, 6);
	arena_free(&a);
}

TEST(bad_rows_are_named)
{
	static const struct {
		const char	*text;
		uint32_t	 line;
		const char	*what;
	} cases[] = {
		{ "smtp inet n - y - -\n", 1, "7 of its 8 fields" },
		{ "\n smtp inet n - y - - smtpd\n", 2, "no row before" },
		{ "smtp tcp n - y - - smtpd\n", 1, "expected inet" },
		{ "smtp inet N - y - - smtpd\n", 1, "\"private\": expected y" },
		{ "smtp inet y - y - - smtpd\n", 1, "cannot be private" },
		{ "smtp inet n x y - - smtpd\n", 1, "\"unprivileged\"" },
		{ "smtp inet n - 1 - - smtpd\n", 1, "\"chroot\"" },
		{ "smtp inet n - y 1m - smtpd\n", 1, "\"wakeup\"" },
		{ "smtp inet n - y ? - smtpd\n", 1, "\"wakeup\"" },
		{ "smtp inet n - y - -1 smtpd\n", 1, "\"process_limit\"" },
		{ "a unix n - y - - smtpd\n  -o\n", 2, "nothing behind -o" },
		{ "a unix n - y - - smtpd\n\n -o x\n", 3, "name=value" },
		{ "a unix n - y - - smtpd -o =x\n", 1, "no parameter name" },
		{ "a unix n - y - - smtpd { x\n y\n", 1, "no }" },
		{ "a unix n - y - - smtpd {x}y\n", 1, "blank behind }" },
		{ "/etc/x unix n - y - - smtpd\n", 1, "without /" },
		{ "../x unix n - y - - smtpd\n", 1, "dots" },
		{ "a/../x unix n - y - - smtpd\n", 1, "dots" },
		{ "::1:25 inet n - y - - smtpd\n", 1, "[host]:port" },
		{ "[::1] inet n - y - - smtpd\n", 1, "[host]:port" },
		{ "x: inet n - y - - smtpd\n", 1, "[host]:port" },
		{ "a\001 unix n - y - - smtpd\n", 1, "control" },
		{ "a unix n - y - - {}\n", 1, "empty" },
	};
	struct arena a = ARENA_INIT;
	struct mastercf cf;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct diag d = DIAG_INIT;

		CHECK_INT(mastercf_parse(slice_of(cases[i].text), "master.cf",
		    &a, &d, &cf), -EBADMSG, i);
		CHECK_INT(d.line, cases[i].line, i);
		CHECK_TEXT(slice_of(d.file), "master.cf", i);
		if (!CHECK(strstr(d.text, cases[i].what) != NULL, i))
			printf("# %s\n", d.text);
	}
	arena_free(&a);
}

TEST(inet_names)
{
	static const struct {
		const char	*name;
		int		 r;
		const char	*host;
		const char	*port;
	} cases[] = {
		{ "smtp", 0, "", "smtp" },
		{ "25", 0, "", "25" },
		{ "localhost:smtp", 0, "localhost", "smtp" },
		{ "[::1]:25", 0, "::1", "25" },
		{ "[127.0.0.1]:25", 0, "127.0.0.1", "25" },
		{ ":25", 0, "", "25" },
		{ "", -EBADMSG, NULL, NULL },
		{ "[::1]25", -EBADMSG, NULL, NULL },
		{ "[]:25", -EBADMSG, NULL, NULL },
		{ "a:b:25", -EBADMSG, NULL, NULL },
		{ "[a]b:25", -EBADMSG, NULL, NULL },
	};
	struct slice host, port;

	for (size_t i = 0; i < COUNT(cases); i++)
		if (CHECK_INT(mastercf_split_inet(slice_of(cases[i].name),
		    &host, &port), cases[i].r, i) == 0) {
			CHECK_TEXT(host, cases[i].host, i);
			CHECK_TEXT(port, cases[i].port, i);
		}
}

TEST(format)
{
	struct arena a = ARENA_INIT;
	struct buf out = BUF_INIT;
	struct mastercf cf;

	parse(&a, &cf);
	mastercf_format(&out, mastercf_find(&cf, S("submission"), MASTERCF_INET),
	    true);
	CHECK_TEXT(buf_slice(&out),
	    "submission inet  n       -       y       -       -       smtpd -v -v\n"
	    "    -o syslog_name=postfix/submission\n"
	    "    -o smtpd_tls_security_level=encrypt\n"
	    "    -o { smtpd_recipient_restrictions = permit_sasl_authenticated,"
	    "       reject }\n", 0);
	buf_reset(&out);
	mastercf_format(&out, mastercf_find(&cf, S("dovecot"), MASTERCF_UNIX),
	    true);
	CHECK_TEXT(buf_slice(&out),
	    "dovecot    unix  -       n       n       -       -       pipe\n"
	    "    flags=DRhu user=vmail:vmail argv=/usr/lib/dovecot/deliver "
	    "-d ${recipient} { an argument with blanks } {  }\n", 1);
	buf_reset(&out);
	mastercf_format(&out, mastercf_find(&cf, S("dovecot"), MASTERCF_UNIX),
	    false);
	CHECK_TEXT(buf_slice(&out),
	    "dovecot    unix  -       n       n       -       -       pipe "
	    "flags=DRhu user=vmail:vmail argv=/usr/lib/dovecot/deliver "
	    "-d ${recipient} { an argument with blanks } {  }\n", 1);
	buf_reset(&out);
	mastercf_format_field(&out, mastercf_find(&cf, S("tlsmgr"),
	    MASTERCF_UNIX), MASTERCF_WAKEUP);
	CHECK_TEXT(buf_slice(&out), "1000?", 2);
	buf_free(&out);
	arena_free(&a);
}

TEST(commands)
{
	const struct mastercf_command *c;

	for (size_t i = 0; (c = mastercf_command_at(i)) != NULL; i++) {
		CHECK(mastercf_command_find(slice_of(c->name)) == c, i);
		CHECK((c->how == MASTERCF_NONE) == (c->daemon[0] == '\0'), i);
		CHECK(c->sentence[strlen(c->sentence) - 1] == '.', i);
	}
	CHECK(mastercf_command_find(S("nothing")) == NULL, 0);
}

static const char edited[] =
	"# top\n"
	"a unix - - n - - one\n"
	"  # inside\n"
	"  -o x=1 -o y=2\n"
	"# between\n"
	"b unix - - n - - two\n"
	"a unix - - n 5 - three arg\n"
	"  -o not=an_option";

TEST(edits)
{
	static const struct {
		char		 what;		/* set, remove, comment, ... */
		const char	*name;
		const char	*param;		/* field or parameter */
		const char	*value;
		int		 r;
		const char	*want;		/* NULL: nothing */
	} cases[] = {
		{ 's', "b", NULL, "b unix - - n - - new", 0,
		  "# top\na unix - - n - - one\n  # inside\n  -o x=1 -o y=2\n"
		  "# between\nb unix - - n - - new\na unix - - n 5 - three arg\n"
		  "  -o not=an_option" },
		{ 's', "c", NULL, "c unix - - n - - new", 0,
		  "# top\na unix - - n - - one\n  # inside\n  -o x=1 -o y=2\n"
		  "# between\nb unix - - n - - two\na unix - - n 5 - three arg\n"
		  "  -o not=an_option\nc unix - - n - - new\n" },
		{ 's', "c", NULL, "d unix - - n - - new", -EBADMSG, NULL },
		{ 's', "c", NULL, "c unix - - n - -", -EBADMSG, NULL },
		{ 's', "c", NULL, "c unix - - n - - x\nd unix - - n - - y",
		  -EBADMSG, NULL },
		{ 'X', "a", NULL, NULL, 0,
		  "# top\n# between\nb unix - - n - - two\n" },
		{ 'X', "z", NULL, NULL, -ENOENT, NULL },
		{ '#', "a", NULL, NULL, 0,
		  "# top\n#a unix - - n - - one\n#  # inside\n#  -o x=1 -o y=2\n"
		  "# between\nb unix - - n - - two\n#a unix - - n 5 - three arg\n"
		  "#  -o not=an_option\n" },
		{ '#', "z", NULL, NULL, -ENOENT, NULL },
		{ 'F', "b", "process_limit", "7", 0,
		  "# top\na unix - - n - - one\n  # inside\n  -o x=1 -o y=2\n"
		  "# between\nb unix - - n - 7 two\na unix - - n 5 - three arg\n"
		  "  -o not=an_option" },
		{ 'F', "a", "command", "four x", 0,
		  "# top\na unix - - n - - one\n  # inside\n  -o x=1 -o y=2\n"
		  "# between\nb unix - - n - - two\na unix - - n 5 - four x" },
		{ 'F', "b", "service", "c", 0,
		  "# top\na unix - - n - - one\n  # inside\n  -o x=1 -o y=2\n"
		  "# between\nc unix - - n - - two\na unix - - n 5 - three arg\n"
		  "  -o not=an_option" },
		{ 'F', "b", "chroot", "x", -EBADMSG, NULL },
		{ 'F', "b", "chroot", "y y", -EBADMSG, NULL },
		{ 'F', "z", "chroot", "y", -ENOENT, NULL },
		{ 'P', "b", "p", "v", 0,
		  "# top\na unix - - n - - one\n  # inside\n  -o x=1 -o y=2\n"
		  "# between\nb unix - - n - - two\n    -o p=v\n"
		  "a unix - - n 5 - three arg\n  -o not=an_option" },
		{ 'P', "b", "p", "v w", 0,
		  "# top\na unix - - n - - one\n  # inside\n  -o x=1 -o y=2\n"
		  "# between\nb unix - - n - - two\n    -o { p = v w }\n"
		  "a unix - - n 5 - three arg\n  -o not=an_option" },
		{ 'P', "b", "p q", "v", -EBADMSG, NULL },
		{ 'p', "b", "p", NULL, -ENOENT, NULL },
		{ 'p', "a", "not", NULL, -ENOENT, NULL },
	};
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice text = slice_of(edited);
		struct slice name = slice_of(cases[i].name);
		struct slice param = slice_of(cases[i].param);
		struct slice value = slice_of(cases[i].value);
		struct diag d = DIAG_INIT;
		enum mastercf_field field = MASTERCF_SERVICE;
		int r = 0;

		buf_reset(&out);
		switch (cases[i].what) {
		case 's':
			r = mastercf_edit_set(text, name, MASTERCF_UNIX, value,
			    &out, &d);
			break;
		case 'X':
			r = mastercf_edit_remove(text, name, MASTERCF_UNIX,
			    &out, &d);
			break;
		case '#':
			r = mastercf_edit_comment(text, name, MASTERCF_UNIX,
			    &out, &d);
			break;
		case 'F':
			CHECK_INT(mastercf_field_parse(param, &field), 0, i);
			r = mastercf_edit_field(text, name, MASTERCF_UNIX,
			    field, value, &out, &d);
			break;
		default:
			r = mastercf_edit_override(text, name, MASTERCF_UNIX,
			    param, cases[i].value == NULL ? NULL : &value,
			    &out, &d);
			break;
		}
		CHECK_INT(r, cases[i].r, i);
		CHECK(r == 0 || d.text[0] != '\0', i);
		CHECK_TEXT(buf_slice(&out),
		    cases[i].want == NULL ? "" : cases[i].want, i);
	}
	buf_free(&out);
}

TEST(edits_of_options)
{
	static const struct {
		const char	*param;
		const char	*value;
		const char	*want;
	} cases[] = {
		{ "x", "9", "a unix - - n - - one\n  # in\n  -o x=9 -o y=2\n  -v\n  -o z=3\n" },
		{ "y", "", "a unix - - n - - one\n  # in\n  -o x=1 -o y=\n  -v\n  -o z=3\n" },
		{ "x", NULL, "a unix - - n - - one\n  # in\n  -o y=2\n  -v\n  -o z=3\n" },
		{ "y", NULL, "a unix - - n - - one\n  # in\n  -o x=1\n  -v\n  -o z=3\n" },
		{ "z", NULL, "a unix - - n - - one\n  # in\n  -o x=1 -o y=2\n  -v\n" },
	};
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice value = slice_of(cases[i].value);

		buf_reset(&out);
		CHECK_INT(mastercf_edit_override(
		    S("a unix - - n - - one\n  # in\n  -o x=1 -o y=2\n  -v\n  -o z=3\n"),
		    S("a"), MASTERCF_UNIX, slice_of(cases[i].param),
		    cases[i].value == NULL ? NULL : &value, &out, NULL), 0, i);
		CHECK_TEXT(buf_slice(&out), cases[i].want, i);
	}
	buf_free(&out);
}
