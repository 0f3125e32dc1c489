/* SPDX-License-Identifier: ISC */
/* Any bytes as a recipient: either refused with a reason, or it goes
 * somewhere; strangers cannot relay whatever they write. */
#include "libglobal/resolve.h"
#include "libutil/arena.h"
#include "libutil/conf.h"
#include "libutil/diag.h"
#include "test.h"

static const char main_cf[] =
	"myhostname = mail.here.example\n"
	"mydomain = here.example\n"
	"mydestination = $myhostname, $mydomain\n"
	"mynetworks = 127.0.0.0/8\n"
	"recipient_delimiter = +-\n"
	"append_dot_mydomain = yes\n"
	"local_recipient_maps = inline:{a=x, b=x} $alias_maps\n"
	"alias_maps = inline:{{c = a, \"d e\", f@far.example, \\\"}, d=c}\n"
	"virtual_alias_domains = v.example\n"
	"virtual_alias_maps = inline:{@v.example=@w.example, {a@w.example=b@here.example, a@w.example}}\n"
	"relay_domains = r.example\n"
	"canonical_maps = inline:{@x.example=@here.example}\n"
	"transport_maps = inline:{.t.example=:[t.example], e.example=error:}\n";

/* accounts - acc.example has a and an alias b */
static int
accounts(void *arg, struct slice address, struct resolve_who *ret_who)
{
	static const struct resolve_owner a[] = { { S_INIT("1"), { NULL, 0 } } };
	static const struct resolve_owner b[] = { { { NULL, 0 },
		S_INIT("a@acc.example") } };
	struct resolve_who who = { .domain =
		slice_has_suffix_nocase(address, S("@acc.example")) };

	(void)arg;
	if (slice_equal_nocase(address, S("a@acc.example")))
		who = (struct resolve_who){ true, true, a, 1 };
	else if (slice_equal_nocase(address, S("b@acc.example")))
		who = (struct resolve_who){ true, true, b, 1 };
	*ret_who = who;
	return 0;
}

/* resolver - one for all runs */
static struct resolver *
resolver(void)
{
	static const struct resolver_host host = { NULL, 0 };
	static struct resolve_params params;
	static struct resolver *r;
	static struct arena arena = ARENA_INIT;
	struct conf *dflt, *conf;

	if (r != NULL)
		return r;
	dflt = conf_new(NULL);
	param_defaults(dflt, &resolve_param_table);
	conf = conf_new(dflt);
	FUZZ_CHECK(conf_read(conf, slice_of(main_cf), "main.cf", NULL) == 0);
	FUZZ_CHECK(param_load(&resolve_param_table, conf, &arena, &params,
	    NULL) == 0);
	conf_free(&conf);
	conf_free(&dflt);
	r = resolver_open(&params, &host, NULL, NULL);
	return r;
}

/* check - what must be true of every answer */
static void
check(const struct resolve_query *q, const struct resolve_result *result)
{
	FUZZ_CHECK(result->status.code == 0 || result->status.code >= 400);
	FUZZ_CHECK(result->status.code != 0 || result->count > 0);
	for (size_t i = 0; result->status.code == 0 && i < result->count; i++)
		FUZZ_CHECK(result->target[i].transport.len > 0);
	/* not even by way of this host */
	if (!q->may_relay)
		FUZZ_CHECK(result->class != RESOLVE_DEFAULT ||
		    result->status.code != 0);
}

FUZZ(resolve_recipient)
{
	struct arena a = ARENA_INIT;
	struct resolve_result result;
	struct slice address;

	for (int i = 0; i < 4; i++) {
		const struct resolve_query q = { .recipient = input,
			.sender = slice_sub(input, 0, input.len / 2),
			.check = (i & 1) != 0, .may_relay = (i & 2) != 0,
			.may_block = true, .who = accounts };

		FUZZ_CHECK(resolve_recipient(resolver(), &q, &a, &result) == 0);
		check(&q, &result);
	}
	FUZZ_CHECK(resolve_rewrite(resolver(), input, RESOLVE_ENVELOPE_SENDER,
	    true, true, &a, &address) == 0);
	arena_free(&a);
}
