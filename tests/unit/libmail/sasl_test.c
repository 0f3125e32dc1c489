/* SPDX-License-Identifier: ISC */
#include "libmail/sasl.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "test.h"

TEST(sasl_plain)
{
	static const struct {
		struct slice in; int want; const char *authzid, *authcid, *password;
	} cases[] = {
		{ S_INIT("\0tim\0tanstaaftanstaaf"), 0, "", "tim",
		    "tanstaaftanstaaf" },
		{ S_INIT("Ursel\0Kurt\0xipj3plmq"), 0, "Ursel", "Kurt",
		    "xipj3plmq" },
		{ S_INIT("\0J\xc3\xb6rg\0p\xc3\xa4ss w\xc3\xb6rd"), 0, "",
		    "J\xc3\xb6rg", "p\xc3\xa4ss w\xc3\xb6rd" },
		{ S_INIT(""), -EBADMSG },
		{ S_INIT("\0"), -EBADMSG },
		{ S_INIT("\0tim"), -EBADMSG },
		{ S_INIT("\0tim\0"), -EBADMSG },
		{ S_INIT("\0\0secret"), -EBADMSG },
		{ S_INIT("\0tim\0a\0b"), -EBADMSG },
		{ S_INIT("\0tim\r\n\0secret"), -EBADMSG },
		{ S_INIT("\0tim\0sec\x7fret"), -EBADMSG },
		{ S_INIT("\0tim\0sec\xc2\x85ret"), -EBADMSG },	/* NEL */
		{ S_INIT("\0t\xefm\0secret"), -EILSEQ },
	};
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sasl_login l = SASL_LOGIN_INIT;

		if (CHECK_INT(sasl_plain_parse(cases[i].in, &a, &l),
		    cases[i].want, i) < 0)
			continue;
		CHECK_TEXT(l.authzid, cases[i].authzid, i);
		CHECK_TEXT(l.authcid, cases[i].authcid, i);
		CHECK_TEXT(l.password, cases[i].password, i);
		buf_reset(&b);
		sasl_plain_format(&b, &l);
		CHECK_SLICE(buf_slice(&b), cases[i].in, i);
	}
	arena_free(&a);
	buf_free(&b);
}

TEST(sasl_limits)
{
	struct arena a = ARENA_INIT;
	struct slice s;
	char text[SASL_MESSAGE_MAX + 1];
	struct sasl_login l;

	memset(text, 'x', sizeof(text));
	CHECK_INT(sasl_prepare(slice_over(text, 255), 255, &a, &s), 0, 0);
	CHECK_INT(sasl_prepare(slice_over(text, 256), 255, &a, &s), -EMSGSIZE, 1);
	CHECK_INT(sasl_prepare(S(""), 255, &a, &s), -EBADMSG, 2);
	CHECK_INT(sasl_plain_parse(slice_over(text, sizeof(text)), &a, &l),
	    -EMSGSIZE, 3);
	arena_free(&a);
}

TEST(sasl_login)
{
	struct arena a = ARENA_INIT;
	struct sasl_login server = SASL_LOGIN_INIT;
	struct sasl_login client = { SLICE_EMPTY, S("tim"), S("secret") };
	int step = SASL_LOGIN_NAME, steps = 0;

	CHECK_TEXT(sasl_login_challenge(SASL_LOGIN_NAME), "Username:", 0);
	CHECK_TEXT(sasl_login_challenge(SASL_LOGIN_PASSWORD), "Password:", 0);
	while (step >= 0 && step != SASL_LOGIN_DONE && steps++ < 3)
		step = sasl_login_parse(step, sasl_login_answer(step, &client), &a,
		    &server);
	CHECK_INT(step, SASL_LOGIN_DONE, 1);
	CHECK_INT(steps, 2, 1);
	CHECK_TEXT(server.authcid, "tim", 1);
	CHECK_TEXT(server.password, "secret", 1);
	CHECK_INT(sasl_login_parse(SASL_LOGIN_NAME, S(""), &a, &server), -EBADMSG,
	    2);
	arena_free(&a);
}
