/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libutil/arena.h"
#include "libutil/conf.h"
#include "libutil/diag.h"

#define PARAMS_OWNER test
#define PARAMS_DEF "unit/libutil/param_test_params.def"
#include "libutil/param_declare.h"
#define PARAMS_OWNER test
#define PARAMS_DEF "unit/libutil/param_test_params.def"
#include "libutil/param_define.h"

#define PARAMS_OWNER service
#define PARAMS_DEF "unit/libutil/param_test_service.def"
#include "libutil/param_declare.h"
#define PARAMS_OWNER service
#define PARAMS_DEF "unit/libutil/param_test_service.def"
#include "libutil/param_define.h"

TEST(param_load_defaults)
{
	struct conf *c = conf_new(NULL);
	struct arena a = ARENA_INIT;
	struct test_params p;
	struct diag d = DIAG_INIT;

	param_defaults(c, &test_param_table);
	conf_put(c, S("myhostname"), S("mx.example"), "", 0);
	CHECK_INT(param_load(&test_param_table, c, &a, &p, &d), 0, 0);
	CHECK_TEXT(p.test_banner, "mx.example ESMTP", 1);
	CHECK_INT(p.test_banner.data[p.test_banner.len], 0, 1);
	CHECK(!p.test_strict, 2);
	CHECK_INT(p.test_limit, 20, 3);
	CHECK_INT((long long)p.test_size, 10240000, 4);
	CHECK_INT(p.test_timeout, 300000, 5);
	CHECK_INT(p.test_lifetime, 5 * 86400 * 1000, 6);
	CHECK_INT(p.test_other_lifetime, 5 * 86400 * 1000, 6);
	CHECK_INT((long long)p.test_hosts.count, 0, 7);
	CHECK_INT(p.test_mode, 1, 8);
	CHECK(p.compatibility_level == PARAM_LEVEL_OF(3, 6, 0), 9);
	CHECK_TEXT(slice_of(test_param_table.owner), "test", 10);
	arena_free(&a);
	conf_free(&c);
}

TEST(param_load_values)
{
	static const char text[] =
	    "stress = yes\ntest_flags = $1 ${recipient}\ntest_strict = YES\n"
	    "test_limit = -1\ntest_size = 2K\ntest_lifetime = 2\n"
	    "test_hosts = a, {b c}\n\td:{e f}\ntest_mode = QUEUE\n"
	    "compatibility_level = 3.10.1\nmyhostname = h\n";
	struct conf *dflt = conf_new(NULL), *c = conf_new(dflt);
	struct arena a = ARENA_INIT;
	struct buf out = BUF_INIT;
	struct test_params p;

	param_defaults(dflt, &test_param_table);
	CHECK_INT(conf_read(c, slice_of(text), "main.cf", NULL), 0, 0);
	CHECK_INT(param_load(&test_param_table, c, &a, &p, NULL), 0, 0);
	CHECK_TEXT(p.test_flags, "$1 ${recipient}", 1);
	CHECK(p.test_strict, 2);
	CHECK_INT(p.test_limit, -1, 3);
	CHECK_INT((long long)p.test_size, 2048, 4);
	CHECK_INT(p.test_timeout, 10000, 5);
	/* no suffix: the unit of the default, days */
	CHECK_INT(p.test_lifetime, 2 * 86400 * 1000, 6);
	CHECK_INT((long long)p.test_hosts.count, 3, 7);
	CHECK_TEXT(p.test_hosts.item[1], "{b c}", 7);
	CHECK_TEXT(p.test_hosts.item[2], "d:{e f}", 7);
	CHECK_INT(p.test_mode, 0, 8);
	for (size_t i = 0; i < test_param_table.count; i++) {
		param_format(&out, &test_param_table.params[i], &p);
		buf_add_byte(&out, '\n');
	}
	CHECK_TEXT(buf_slice(&out), "h ESMTP\n$1 ${recipient}\nyes\n-1\n2k\n10s\n"
	    "2d\n2d\na, {b c}, d:{e f}\nqueue\n3.10.1\n", 9);
	buf_free(&out);
	arena_free(&a);
	conf_free(&c);
	conf_free(&dflt);
}

TEST(param_load_refuses)
{
	static const struct { const char *name, *value, *says; } cases[] = {
		{ "test_strict", "maybe", "test_strict = maybe: must be yes" },
		{ "test_limit", "x", "is not a number" },
		{ "test_limit", "101", "the minimum is -1; the maximum is 100" },
		{ "test_limit", "-2", "out of range" },
		{ "test_limit", "99999999999999999999", "out of range" },
		{ "test_size", "1x", "is not a size" },
		{ "test_size", "511", "out of range" },
		{ "test_size", "65m", "out of range" },
		{ "test_size", "99999999999999g", "out of range" },
		{ "test_timeout", "5y", "is not a time" },
		{ "test_timeout", "0", "out of range" },
		{ "test_timeout", "61m", "the maximum is 1h" },
		{ "test_timeout", "-5s", "is not a time" },
		{ "test_hosts", "a b c d", "wrong number of items" },
		{ "test_hosts", "a {b", "brace" },
		{ "test_mode", "neither", "one of queue|through|both" },
		{ "test_mode", "", "one of" },
		{ "compatibility_level", "3.x", "is not a level" },
		{ "test_banner", "", "must not be empty" },
		{ "test_banner", "$nothing", "must not be empty" },
		{ "test_banner", "${", "test_banner: \"{\" without" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct conf *c = conf_new(NULL);
		struct arena a = ARENA_INIT;
		struct buf text = BUF_INIT;
		struct diag d = DIAG_INIT;
		struct test_params p = { .test_limit = 4711 };

		param_defaults(c, &test_param_table);
		conf_put(c, S("myhostname"), S("h"), "", 0);
		conf_put(c, slice_of(cases[i].name), slice_of(cases[i].value),
		    "main.cf", 12);
		CHECK_INT(param_load(&test_param_table, c, &a, &p, &d),
		    -EBADMSG, i);
		CHECK_INT(p.test_limit, 4711, i);
		diag_format(&text, &d);
		CHECK(slice_has_prefix(buf_slice(&text), S("main.cf:12: test_")) ||
		    slice_has_prefix(buf_slice(&text), S("main.cf:12: comp")), i);
		if (!CHECK(slice_find_slice(buf_slice(&text),
		    slice_of(cases[i].says)) != SLICE_NONE, i))
			printf("# %s\n", buf_cstr(&text));
		buf_free(&text);
		arena_free(&a);
		conf_free(&c);
	}
}

TEST(param_load_service)
{
	struct conf *dflt = conf_new(NULL), *c = conf_new(dflt);
	struct arena a = ARENA_INIT;
	struct service_params p;

	param_defaults(dflt, &test_param_table);
	conf_put(c, S("smtp-slow_test_concurrency_limit"), S("3"), "main.cf", 1);
	CHECK_INT(param_load_service(&service_param_table, S("smtp-slow"), c, &a,
	    &p, NULL), 0, 0);
	CHECK_INT(p._test_concurrency_limit, 3, 0);
	CHECK_INT(param_load_service(&service_param_table, S("smtp"), c, &a,
	    &p, NULL), 0, 1);
	CHECK_INT(p._test_concurrency_limit, 20, 1);	/* $test_limit */
	param_defaults_service(dflt, &service_param_table, S("smtp"));
	CHECK(conf_find(c, S("smtp_test_concurrency_limit")) != NULL, 2);
	arena_free(&a);
	conf_free(&c);
	conf_free(&dflt);
}

static void
collect(void *arg, const struct diag *d)
{
	buf_add_text(arg, d->text);
	buf_add_byte(arg, '\n');
}

TEST(param_check_finds_all)
{
	struct conf *c = conf_new(NULL);
	struct buf out = BUF_INIT;
	struct diag d = DIAG_INIT;

	param_defaults(c, &test_param_table);
	conf_put(c, S("myhostname"), S("h"), "", 0);
	conf_put(c, S("test_strict"), S("1"), "main.cf", 1);
	conf_put(c, S("test_limit"), S("z"), "main.cf", 2);
	CHECK_INT((int)param_check(&test_param_table, c, collect, &out), 2, 0);
	CHECK_TEXT(buf_slice(&out), "test_strict = 1: must be yes or no\n"
	    "test_limit = z: is not a number\n", 0);
	CHECK_INT(param_check_text(&test_param_table.params[3], S("5"), &d), 0, 1);
	CHECK_INT(param_check_text(&test_param_table.params[3], S("x"), &d),
	    -EBADMSG, 1);
	buf_free(&out);
	conf_free(&c);
}

static void
collect_entry(void *arg, const struct conf_entry *e, const struct diag *d)
{
	buf_addf(arg, "%.*s:", SLICE_ARG(e->name));
	diag_format(arg, d);
	buf_add_byte(arg, '\n');
}

TEST(param_unknown_names)
{
	static const char text[] =
	    "test_limt = 1\n"			/* mistyped */
	    "mine = 2\ntest_banner = $mine $yours\n"
	    "smtpd_restriction_classes = greylist\ngreylist = permit\n"
	    "for_service = 3\n"
	    "slow_test_concurrency_limit = 1\n"
	    "test_flags = $recipient\n"
	    "zzzzzzzz = 1\n";
	struct param_registry reg = PARAM_REGISTRY_INIT;
	struct conf *dflt = conf_new(NULL), *c = conf_new(dflt);
	struct conf *service = conf_new(c);
	const struct conf *services[] = { service };
	struct buf out = BUF_INIT;

	param_registry_add(&reg, &test_param_table);
	param_registry_add(&reg, &service_param_table);
	param_defaults(dflt, &test_param_table);
	conf_put(dflt, S("smtpd_restriction_classes"), SLICE_EMPTY, "", 0);
	conf_put(service, S("test_limit"), S("$for_service"), "master.cf", 3);
	CHECK_INT(conf_read(c, slice_of(text), "main.cf", NULL), 0, 0);
	CHECK_INT((int)param_unknown(&reg, c, services, 1, collect_entry, &out),
	    4, 0);
	CHECK_TEXT(buf_slice(&out),
	    "test_limt:main.cf:1: there is no parameter test_limt "
	    "(did you mean test_limit?)\n"
	    "test_banner:main.cf:3: nothing defines $yours\n"
	    "smtpd_restriction_classes:main.cf:4: there is no parameter "
	    "smtpd_restriction_classes\n"
	    "zzzzzzzz:main.cf:9: there is no parameter zzzzzzzz\n", 0);
	CHECK(param_registry_find(&reg, S("test_size")) ==
	    &test_param_table.params[4], 1);
	CHECK(param_registry_find(&reg, S("x_test_concurrency_limit")) ==
	    &service_param_table.params[0], 2);
	CHECK(param_registry_find(&reg, S("_test_concurrency_limit")) == NULL, 3);
	buf_reset(&out);
	param_nearest(&reg, c, S("test_lifteime"), &out);
	CHECK_TEXT(buf_slice(&out), "test_lifetime", 4);
	buf_free(&out);
	param_registry_free(&reg);
	conf_free(&service);
	conf_free(&c);
	conf_free(&dflt);
}
