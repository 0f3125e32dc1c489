/* SPDX-License-Identifier: ISC */
#include "libmail/smtp.h"
#include "libmail/smtp_xtext.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "test.h"

TEST(smtp_parse_verb)
{
	static const struct {
		const char *in; enum smtp_verb verb; const char *word, *args;
	} cases[] = {
		{ "EHLO client.example", SMTP_VERB_EHLO, "EHLO", "client.example" },
		{ "ehlo client.example", SMTP_VERB_EHLO, "ehlo", "client.example" },
		{ "MAIL FROM:<a@b> SIZE=1 ", SMTP_VERB_MAIL, "MAIL",
		    "FROM:<a@b> SIZE=1" },
		{ "mail\tFROM:<>", SMTP_VERB_MAIL, "mail", "FROM:<>" },
		{ "RCPT", SMTP_VERB_RCPT, "RCPT", "" },
		{ "DATA", SMTP_VERB_DATA, "DATA", "" },
		{ "  QUIT  ", SMTP_VERB_QUIT, "QUIT", "" },
		{ "STARTTLS", SMTP_VERB_STARTTLS, "STARTTLS", "" },
		{ "STARTTLSX", SMTP_VERB_NONE, "STARTTLSX", "" },
		{ "START", SMTP_VERB_NONE, "START", "" },
		{ "XCLIENT NAME=x", SMTP_VERB_XCLIENT, "XCLIENT", "NAME=x" },
		{ "MAILX", SMTP_VERB_NONE, "MAILX", "" },
		{ "MAI", SMTP_VERB_NONE, "MAI", "" },
		{ "GET / HTTP/1.1", SMTP_VERB_NONE, "GET", "/ HTTP/1.1" },
		{ "", SMTP_VERB_NONE, "", "" },
		{ " ", SMTP_VERB_NONE, "", "" },
		{ "\xff\xff\xff\xff", SMTP_VERB_NONE, "\xff\xff\xff\xff", "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice word, args;

		CHECK_INT(smtp_parse_verb(slice_of(cases[i].in), &word, &args),
		    cases[i].verb, i);
		CHECK_TEXT(word, cases[i].word, i);
		CHECK_TEXT(args, cases[i].args, i);
	}
	for (int v = 1; v < SMTP_VERB_COUNT; v++) {
		struct slice args;

		CHECK_INT(smtp_parse_verb(slice_of(smtp_verb_name(v)), NULL,
		    &args), v, v);
	}
}

TEST(smtp_check_args)
{
	struct status s = STATUS_INIT;

	CHECK_INT(smtp_check_args(SMTP_VERB_DATA, S(""), &s), 0, 0);
	CHECK_INT(smtp_check_args(SMTP_VERB_DATA, S("x"), &s), -EBADMSG, 1);
	CHECK_INT(s.code, 501, 1);
	CHECK_INT(smtp_check_args(SMTP_VERB_MAIL, S(""), &s), -EBADMSG, 2);
	CHECK_INT(smtp_check_args(SMTP_VERB_NOOP, S(""), NULL), 0, 3);
	CHECK_INT(smtp_check_args(SMTP_VERB_NOOP, S("x y"), NULL), 0, 4);
}

/* what went in, the result, the reply on refusal, what is formatted again */
struct args_case {
	const char	*in;
	unsigned	flags;
	int		want;
	const char	*out;		/* formatted, or the refusal */
};

TEST(smtp_parse_mail)
{
	enum { ST = SMTP_STRICT, U = SMTP_UTF8 };
	static const struct args_case cases[] = {
		{ "FROM:<a@example.org>", ST, 0, "FROM:<a@example.org>" },
		{ "from:<>", ST, 0, "FROM:<>" },
		{ "FROM:<a@example.org> SIZE=1000 BODY=8BITMIME", ST, 0,
		    "FROM:<a@example.org> SIZE=1000 BODY=8BITMIME" },
		{ "FROM:<a@example.org> body=7bit size=0", ST, 0,
		    "FROM:<a@example.org> SIZE=0 BODY=7BIT" },
		{ "FROM:<a@example.org> BODY=BINARYMIME", ST, 0,
		    "FROM:<a@example.org> BODY=BINARYMIME" },
		{ "FROM:<a@example.org> RET=HDRS ENVID=QQ+2B314159", ST, 0,
		    "FROM:<a@example.org> RET=HDRS ENVID=QQ+2B314159" },
		{ "FROM:<> AUTH=<> PRDR", ST, 0, "FROM:<> AUTH=<> PRDR" },
		{ "FROM:<> AUTH=e+3Dmc2@example.com", ST, 0,
		    "FROM:<> AUTH=e+3Dmc2@example.com" },
		{ "FROM:<\xc3\xb6@b\xc3\xbc" "cher.example> SMTPUTF8", ST, 0,
		    "FROM:<\xc3\xb6@b\xc3\xbc" "cher.example> SMTPUTF8" },
		{ "FROM:<x@b\xc3\xbc" "cher.example>", ST | U, 0,
		    "FROM:<x@xn--bcher-kva.example>" },
		{ "FROM:<a@example.org> SIZE=99999999999999999999", ST, 0,
		    "FROM:<a@example.org> SIZE=9223372036854775807" },
		/* lenient forms */
		{ "FROM: <a@example.org>", 0, 0, "FROM:<a@example.org>" },
		{ "FROM:a@example.org SIZE=5", 0, 0, "FROM:<a@example.org> SIZE=5" },
		{ "FROM:<root>", 0, 0, "FROM:<root>" },
		{ "FROM:<a@example.org>   SIZE=5", 0, 0,
		    "FROM:<a@example.org> SIZE=5" },
		{ "FROM: <a@example.org>", ST, -EBADMSG,
		    "501 5.1.7 Bad sender address syntax" },
		{ "FROM:a@example.org", ST, -EBADMSG,
		    "501 5.1.7 Bad sender address syntax" },
		{ "FROM:<root>", ST, -EBADMSG,
		    "501 5.1.7 Bad sender address syntax" },
		{ "FROM:<a@example.org>  SIZE=5", ST, -EBADMSG,
		    "501 5.5.4 Syntax: MAIL FROM:<address> [parameters]" },
		/* refusals */
		{ "", 0, -EBADMSG, "501 5.5.4 Syntax: MAIL FROM:<address>" },
		{ "TO:<a@example.org>", 0, -EBADMSG,
		    "501 5.5.4 Syntax: MAIL FROM:<address>" },
		{ "FROM:", 0, -EBADMSG, "501 5.1.7 Bad sender address syntax" },
		{ "FROM:<a@example.org>SIZE=5", 0, -EBADMSG,
		    "501 5.5.4 Syntax: MAIL FROM:<address> [parameters]" },
		{ "FROM:<a@example.org>\r", 0, -EBADMSG,
		    "501 5.5.4 Syntax: MAIL FROM:<address> [parameters]" },
		{ "FROM:<a@example.org> SIZE=x", 0, -EBADMSG,
		    "501 5.5.4 Bad value of SIZE" },
		{ "FROM:<a@example.org> SIZE", 0, -EBADMSG,
		    "501 5.5.4 SIZE needs a value" },
		{ "FROM:<a@example.org> SIZE=", 0, -EBADMSG,
		    "501 5.5.4 SIZE needs a value" },
		{ "FROM:<a@example.org> SMTPUTF8=1", 0, -EBADMSG,
		    "501 5.5.4 SMTPUTF8 takes no value" },
		{ "FROM:<a@example.org> SIZE=1 SIZE=1", 0, -EBADMSG,
		    "501 5.5.4 SIZE is given more than once" },
		{ "FROM:<a@example.org> SIZE=111111111111111111111", 0, -EMSGSIZE,
		    "501 5.5.4 Value of SIZE is too long" },
		{ "FROM:<a@example.org> BODY=9BIT", 0, -EBADMSG,
		    "501 5.5.4 Bad value of BODY" },
		{ "FROM:<a@example.org> RET=NONE", 0, -EBADMSG,
		    "501 5.5.4 Bad value of RET" },
		{ "FROM:<a@example.org> ENVID=a+0D+0Ab", 0, -EBADMSG,
		    "501 5.5.4 Bad value of ENVID" },
		{ "FROM:<a@example.org> ENVID=a+2", 0, -EBADMSG,
		    "501 5.5.4 Bad value of ENVID" },
		{ "FROM:<a@example.org> AUTH=a+20b@c", 0, -EBADMSG,
		    "501 5.5.4 Bad value of AUTH" },
		{ "FROM:<a@example.org> FOO=bar", 0, -EOPNOTSUPP,
		    "555 5.5.4 Unsupported option: FOO=bar" },
		{ "FROM:<a@example.org> NOTIFY=NEVER", 0, -EOPNOTSUPP,
		    "555 5.5.4 Unsupported option: NOTIFY=NEVER" },
		{ "FROM:<\xc3\xb6@example.org>", 0, -EOPNOTSUPP,
		    "553 5.6.7 The sender address needs SMTPUTF8" },
		{ "FROM:<\xf6@example.org> SMTPUTF8", 0, -EILSEQ,
		    "501 5.1.7 The sender address is not UTF-8" },
	};
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtp_mail m = SMTP_MAIL_INIT, again;
		struct status s = STATUS_INIT;

		buf_reset(&b);
		if (CHECK_INT(smtp_parse_mail(slice_of(cases[i].in), &a,
		    cases[i].flags, &m, &s), cases[i].want, i) < 0) {
			status_format(&b, &s);
			CHECK_TEXT(buf_slice(&b), cases[i].out, i);
			continue;
		}
		smtp_format_mail(&b, &m);
		CHECK_TEXT(buf_slice(&b), cases[i].out, i);
		CHECK_INT(smtp_parse_mail(buf_slice(&b), &a, cases[i].flags,
		    &again, NULL), 0, i);
		CHECK(smtp_mail_equal(&m, &again), i);
		arena_reset(&a);
	}
	arena_free(&a);
	buf_free(&b);
}

TEST(smtp_parse_rcpt)
{
	enum { ST = SMTP_STRICT, U = SMTP_UTF8 };
	static const struct args_case cases[] = {
		{ "TO:<a@example.org>", ST, 0, "TO:<a@example.org>" },
		{ "TO:<Postmaster>", ST, 0, "TO:<Postmaster>" },
		{ "TO:<@x.example:a@example.org>", ST, 0, "TO:<a@example.org>" },
		{ "TO:<a@example.org> NOTIFY=delay,failure,SUCCESS", ST, 0,
		    "TO:<a@example.org> NOTIFY=SUCCESS,FAILURE,DELAY" },
		{ "TO:<a@example.org> NOTIFY=NEVER "
		    "ORCPT=rfc822;Bob+2B1@example.org", ST, 0,
		    "TO:<a@example.org> NOTIFY=NEVER "
		    "ORCPT=rfc822;Bob+2B1@example.org" },
		{ "TO:<a@example.org> ORCPT=RFC822;a+20b@example.org", ST, 0,
		    "TO:<a@example.org> ORCPT=RFC822;a+20b@example.org" },
		{ "TO:<a@example.org> ORCPT=utf-8;\\x{F6}x@example.org", ST, 0,
		    "TO:<a@example.org> ORCPT=utf-8;\\x{F6}x@example.org" },
		{ "TO:<a@example.org> ORCPT=utf-8;\xc3\xb6\\x{2B}@example.org",
		    ST | U, 0,
		    "TO:<a@example.org> ORCPT=utf-8;\xc3\xb6\\x{2B}@example.org" },
		{ "TO:<a@example.org> ORCPT=utf-8;\\x{1F600}@example.org", ST | U,
		    0, "TO:<a@example.org> ORCPT=utf-8;\xf0\x9f\x98\x80@example.org" },
		{ "TO:a@example.org", 0, 0, "TO:<a@example.org>" },
		{ "TO:<>", 0, -EBADMSG, "501 5.1.3 Bad recipient address syntax" },
		{ "TO:", 0, -EBADMSG, "501 5.1.3 Bad recipient address syntax" },
		{ "TO:<a@example.org> NOTIFY=NEVER,DELAY", 0, -EBADMSG,
		    "501 5.5.4 Bad value of NOTIFY" },
		{ "TO:<a@example.org> NOTIFY=DELAY,", 0, -EBADMSG,
		    "501 5.5.4 Bad value of NOTIFY" },
		{ "TO:<a@example.org> NOTIFY=,DELAY", 0, -EBADMSG,
		    "501 5.5.4 Bad value of NOTIFY" },
		{ "TO:<a@example.org> ORCPT=rfc822;", 0, -EBADMSG,
		    "501 5.5.4 Bad value of ORCPT" },
		{ "TO:<a@example.org> ORCPT=a@example.org", 0, -EBADMSG,
		    "501 5.5.4 Bad value of ORCPT" },
		{ "TO:<a@example.org> ORCPT=rfc822;a+0Ab", 0, -EBADMSG,
		    "501 5.5.4 Bad value of ORCPT" },
		{ "TO:<a@example.org> ORCPT=rfc822;+C3+B6", 0, -EBADMSG,
		    "501 5.5.4 Bad value of ORCPT" },
		{ "TO:<a@example.org> ORCPT=utf-8;\\x{0A}", 0, -EBADMSG,
		    "501 5.5.4 Bad value of ORCPT" },
		{ "TO:<a@example.org> ORCPT=utf-8;\\x{D800}", 0, -EBADMSG,
		    "501 5.5.4 Bad value of ORCPT" },
		{ "TO:<a@example.org> ORCPT=utf-8;\\x{110000}", 0, -EBADMSG,
		    "501 5.5.4 Bad value of ORCPT" },
		{ "TO:<a@example.org> ORCPT=utf-8;\\y", 0, -EBADMSG,
		    "501 5.5.4 Bad value of ORCPT" },
		{ "TO:<a@example.org> ORCPT=utf-8;\xc3\xb6@example.org", 0,
		    -EBADMSG, "501 5.5.4 Bad value of ORCPT" },
		{ "TO:<a@example.org> SIZE=1", 0, -EOPNOTSUPP,
		    "555 5.5.4 Unsupported option: SIZE=1" },
		{ "TO:<\xc3\xb6@example.org>", 0, -EOPNOTSUPP,
		    "553 5.6.7 The recipient address needs SMTPUTF8" },
		{ "TO:<\xc3\xb6@example.org>", U, 0, "TO:<\xc3\xb6@example.org>" },
	};
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtp_rcpt m = SMTP_RCPT_INIT, again;
		struct status s = STATUS_INIT;

		buf_reset(&b);
		if (CHECK_INT(smtp_parse_rcpt(slice_of(cases[i].in), &a,
		    cases[i].flags, &m, &s), cases[i].want, i) < 0) {
			status_format(&b, &s);
			CHECK_TEXT(buf_slice(&b), cases[i].out, i);
			continue;
		}
		smtp_format_rcpt(&b, &m, (cases[i].flags & U) != 0);
		CHECK_TEXT(buf_slice(&b), cases[i].out, i);
		CHECK_INT(smtp_parse_rcpt(buf_slice(&b), &a, cases[i].flags,
		    &again, NULL), 0, i);
		CHECK(smtp_rcpt_equal(&m, &again), i);
		arena_reset(&a);
	}
	arena_free(&a);
	buf_free(&b);
}

TEST(smtp_parse_bdat)
{
	static const struct {
		const char *in; int want; uint64_t size; bool last;
	} cases[] = {
		{ "1000", 0, 1000, false },
		{ "0 LAST", 0, 0, true },
		{ "86 last", 0, 86, true },
		{ "", -EBADMSG, 0, false },
		{ "x", -EBADMSG, 0, false },
		{ "-1", -EBADMSG, 0, false },
		{ "1 FIRST", -EBADMSG, 0, false },
		{ "1LAST", -EBADMSG, 0, false },
		{ "1 LASTX", -EBADMSG, 0, false },
		{ "9223372036854775808", 0, SMTP_BDAT_MAX, false },
		{ "99999999999999999999999999 LAST", 0, SMTP_BDAT_MAX, true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtp_bdat b = { 0, false };

		CHECK_INT(smtp_parse_bdat(slice_of(cases[i].in), &b, NULL),
		    cases[i].want, i);
		CHECK(b.size == cases[i].size && b.last == cases[i].last, i);
	}
}

TEST(smtp_parse_auth)
{
	static const struct {
		const char *in; int want; const char *mechanism; bool has_initial;
		const char *initial;
	} cases[] = {
		{ "PLAIN", 0, "PLAIN", false, "" },
		{ "plain AGEAYg==", 0, "PLAIN", true, "AGEAYg==" },
		{ "SCRAM-SHA-256 =", 0, "SCRAM-SHA-256", true, "" },
		{ "", -EBADMSG, NULL, false, NULL },
		{ "PLAIN a b", -EBADMSG, NULL, false, NULL },
		{ "PLAIN *", -EBADMSG, NULL, false, NULL },
		{ "PL/AIN", -EBADMSG, NULL, false, NULL },
		{ "ABCDEFGHIJKLMNOPQRSTU", -EBADMSG, NULL, false, NULL },
	};
	struct arena a = ARENA_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smtp_auth auth;

		if (CHECK_INT(smtp_parse_auth(slice_of(cases[i].in), &a, &auth,
		    NULL), cases[i].want, i) < 0)
			continue;
		CHECK_TEXT(auth.mechanism, cases[i].mechanism, i);
		CHECK(auth.has_initial == cases[i].has_initial, i);
		CHECK_TEXT(auth.initial, cases[i].initial, i);
	}
	arena_free(&a);
}

TEST(smtp_parse_helo_and_vrfy)
{
	struct arena a = ARENA_INIT;
	struct smtp_helo h;
	struct addr addr;
	struct status s;

	CHECK_INT(smtp_parse_helo(S("Mail.Example.ORG"), &a, 0, &h, NULL), 0, 0);
	CHECK_TEXT(h.domain.name, "mail.example.org", 0);
	CHECK_INT(smtp_parse_helo(S("[192.0.2.1]"), &a, 0, &h, NULL), 0, 1);
	CHECK_INT(h.domain.kind, DOMAIN_IPV4, 1);
	CHECK_INT(smtp_parse_helo(S("my pc"), &a, 0, &h, NULL), 0, 2);
	CHECK_INT(h.domain.kind, DOMAIN_NONE, 2);
	CHECK_TEXT(h.text, "my pc", 2);
	CHECK_INT(smtp_parse_helo(S("a\nb"), &a, 0, &h, &s), -EBADMSG, 3);
	CHECK_INT(s.code, 501, 3);
	CHECK_INT(smtp_parse_helo(S(""), &a, 0, &h, NULL), -EBADMSG, 4);

	CHECK_INT(smtp_parse_vrfy(S("<a@example.org>"), &a, 0, &addr, NULL), 0, 5);
	CHECK_INT(smtp_parse_vrfy(S("a"), &a, 0, &addr, NULL), 0, 6);
	CHECK_INT(smtp_parse_vrfy(S("\xc3\xb6 SMTPUTF8"), &a, 0, &addr, NULL), 0,
	    7);
	CHECK_INT(smtp_parse_vrfy(S("\xc3\xb6"), &a, 0, &addr, NULL), -EBADMSG, 8);
	CHECK_INT(smtp_parse_vrfy(S("a b"), &a, 0, &addr, NULL), -EBADMSG, 9);
	arena_free(&a);
}

TEST(smtp_xtext)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct slice s;
	char all[256];

	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	smtp_xtext_encode(&b, slice_over(all, sizeof(all)));
	CHECK_INT(smtp_xtext_decode(buf_slice(&b), &a, &s), 0, 0);
	CHECK_SLICE(s, slice_over(all, sizeof(all)), 0);
	CHECK_INT(smtp_xtext_decode(S("a+"), &a, &s), -EBADMSG, 1);
	CHECK_INT(smtp_xtext_decode(S("a+4"), &a, &s), -EBADMSG, 2);
	CHECK_INT(smtp_xtext_decode(S("a=b"), &a, &s), -EBADMSG, 3);
	CHECK_INT(smtp_xtext_decode(S("a b"), &a, &s), -EBADMSG, 4);
	CHECK_INT(smtp_xtext_decode(S("a+3db"), &a, &s), 0, 5);
	CHECK_TEXT(s, "a=b", 5);
	arena_free(&a);
	buf_free(&b);
}
