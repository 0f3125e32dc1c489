/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libglobal/accounts_password.h"

#define BCRYPT	"$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a"
#define ARGON	"$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0$"

TEST(password_take)
{
	static const struct { const char *in; int want; const char *out; } cases[] = {
		{ "$6$salt$hash",		0, "$6$salt$hash" },
		{ " $6$salt$hash\n",		0, "$6$salt$hash" },
		{ "{CRYPT}$6$salt$hash",	0, "$6$salt$hash" },
		{ "{sha512-crypt}$6$salt$hash",	0, "$6$salt$hash" },
		{ "{ARGON2ID}" ARGON "aGFzaA",	0, ARGON "aGFzaA" },
		{ BCRYPT,			0, BCRYPT },
		{ "$y$j9T$salt$hash",		0, "$y$j9T$salt$hash" },
		{ "",				-EINVAL, NULL },
		{ "$",				-EINVAL, NULL },
		{ "secret",			-EINVAL, NULL },
		{ "{PLAIN}secret",		-EINVAL, NULL },
		{ "$9$a$b",			-EINVAL, NULL },
		{ "$6$salt",			-EINVAL, NULL },	/* no hash */
		{ "$6$sa lt$hash",		-EINVAL, NULL },
		{ "$6$rounds=9000000$a$b",	-ERANGE, NULL },
		{ "$2b$20$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a",
						-ERANGE, NULL },
		{ "$2b$05$short",		-EINVAL, NULL },
		{ ARGON,			-EINVAL, NULL },
		{ "$argon2id$m=64,t=1,p=1$YWFhYWFhYWE$YWFh", -EINVAL, NULL },
		{ "$argon2id$v=19$m=99999999,t=1,p=1$YWFh$YWFh", -ERANGE, NULL },
		{ "$argon2id$v=19$m=64,t=0,p=1$YWFh$YWFh", -EINVAL, NULL },
		{ "$argon2id$v=19$m=64,t=1,p=1$YWFh$YW$Fh", -EINVAL, NULL },
	};
	struct buf	out = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_reset(&out);
		CHECK_INT(password_take(slice_of(cases[i].in), &out),
		    cases[i].want, i);
		CHECK_TEXT(buf_slice(&out), cases[i].out, i);
	}
	buf_free(&out);
}

TEST(password_round_trip)
{
	static const unsigned char	 salt[PASSWORD_SALT_SIZE] = "0123456789abcde";
	static const struct password_cost cost = { 64, 1, 1 };
	struct buf			 out = BUF_INIT, taken = BUF_INIT;

	CHECK_INT(password_hash(S("secret"), &cost, salt, &out), 0, 0);
	CHECK(slice_has_prefix(buf_slice(&out), S("$argon2id$v=19$m=64,t=1,p=1$")),
	    0);
	CHECK_INT(password_take(buf_slice(&out), &taken), 0, 0);
	CHECK_INT(password_verify(buf_slice(&out), S("secret")), 0, 0);
	CHECK_INT(password_verify(buf_slice(&out), S("Secret")), -EKEYREJECTED,
	    0);
	CHECK_INT(password_verify(buf_slice(&out), S("")), -EKEYREJECTED, 0);
	CHECK_INT(password_verify(buf_slice(&out), S("secret\0")),
	    -EKEYREJECTED, 0);
	CHECK_INT(password_hash(S(""), &cost, salt, &out), -EINVAL, 0);
	CHECK_INT(password_hash(S("a\0b"), &cost, salt, &out), -EINVAL, 0);
	buf_free(&out);
	buf_free(&taken);
}

TEST(password_verify)
{
	/* of "secret", as openssl passwd(1) and crypt(3) make them */
	static const struct { const char *hash; int want; } cases[] = {
		{ "$1$saltsalt$9xy1btjgzLYfb7hivXtC//", 0 },
		{ "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA", 0 },
		{ "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0a"
		    "Dehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1", 0 },
		{ "$y$j75$saltsalt$0gBD67sgmJgRX3RZ6wHHO7sHimQEWGCWN85o4Twogh2",
		    0 },
		{ BCRYPT, 0 },
		{ "$6$saltsalt$not.the.right.one", -EKEYREJECTED },
		{ "", -EINVAL },
		{ "secret", -EINVAL },
		{ "$argon2id$v=19$m=64,t=1,p=1$broken", -EINVAL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		CHECK_INT(password_verify(slice_of(cases[i].hash),
		    S("secret")), cases[i].want, i);
		CHECK(password_verify(slice_of(cases[i].hash), S("other")) < 0,
		    i);
	}
}
