/* SPDX-License-Identifier: ISC */
/* Rewriting, classes, aliases, checks, routes. */
#include "libglobal/resolve.h"

#include <stdio.h>

#include "libglobal/rewrite.h"
#include "libutil/arena.h"
#include "libutil/conf.h"
#include "libutil/diag.h"
#include "test.h"

TEST(rewrite_address)
{
	static const struct rewrite_rules all = {
		S_INIT("origin.example"), S_INIT("my.example"), true, true
	};
	static const struct rewrite_rules none = { { NULL, 0 }, { NULL, 0 },
		false, false };
	static const struct {
		const struct rewrite_rules	*rules;
		const char			*in;
		const char			*want;
	} cases[] = {
		{ &all, "user", "user@origin.example" },
		{ &none, "user", "user" },
		{ &all, "user@example.org", "user@example.org" },
		{ &all, "user@host", "user@host.my.example" },
		{ &none, "user@host", "user@host" },
		{ &all, "user@host.", "user@host" },
		{ &all, "user@example.org.", "user@example.org" },
		{ &all, "user@example.org..", "user@example.org.." },
		{ &all, "user@[192.0.2.1]", "user@[192.0.2.1]" },
		{ &all, "host.example!user", "user@host.example" },
		{ &all, "host!user", "user@host.my.example" },
		{ &none, "host.example!user", "host.example!user" },
		{ &all, "a.example!b.example!user", "b.example!user@a.example" },
		{ &all, "user%host.example", "user@host.example" },
		{ &all, "u%a.example%b.example", "u%a.example@b.example" },
		{ &none, "user%host.example", "user%host.example" },
		{ &all, "user%a@host.example", "user%a@host.example" },
		{ &all, "a!user@host.example", "a!user@host.example" },
		{ &all, "@a,@b:user@c.example", "user@c.example" },
		{ &none, "@a:", "@a:" },
		{ &all, "", "" },
		{ &all, "@", "" },
		{ &all, "user@", "user@" },
	};
	struct arena a = ARENA_INIT;

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_TEXT(rewrite_address(cases[i].rules,
		    slice_of(cases[i].in), &a), cases[i].want, i);
	arena_free(&a);
}

/* --- a small accounts database: acc.example with alice (account 7), bob
 * (an alias for alice and x@remote.example), gone (known to none); carol is
 * an account at my host */
static int
accounts(void *arg, struct slice address, struct resolve_who *ret_who)
{
	static const struct resolve_owner alice[] = { { S_INIT("7"), { NULL, 0 } } };
	static const struct resolve_owner carol[] = { { S_INIT("8"), { NULL, 0 } } };
	static const struct resolve_owner team[] = {
		{ S_INIT("7"), S_INIT("alice@acc.example") },
		{ S_INIT("9"), S_INIT("dora@acc.example") },
	};
	static const struct resolve_owner dora[] = {
		{ S_INIT("9"), S_INIT("dora@acc.example") },
	};
	static const struct resolve_owner bob[] = {
		{ { NULL, 0 }, S_INIT("alice@acc.example") },
		{ { NULL, 0 }, S_INIT("x@remote.example") },
	};
	struct resolve_who who = { .domain =
		slice_has_suffix_nocase(address, S("@acc.example")) };

	(void)arg;
	if (slice_equal_nocase(address, S("waits@acc.example")))
		return -EAGAIN;
	if (slice_equal_nocase(address, S("alice@acc.example"))) {
		who.found = true;
		who.owner = alice;
		who.count = 1;
	} else if (slice_equal_nocase(address, S("bob@acc.example"))) {
		who.found = true;
		who.owner = bob;
		who.count = COUNT(bob);
	} else if (slice_equal_nocase(address, S("team@acc.example"))) {
		who.found = true;
		who.owner = team;
		who.count = COUNT(team);
	} else if (slice_equal_nocase(address, S("dora+x@acc.example"))) {
		who.found = true;	/* by itself without the extension */
		who.owner = dora;
		who.count = 1;
	} else if (slice_equal_nocase(address, S("carol@mail.here.example"))) {
		who.found = true;
		who.owner = carol;
		who.count = 1;
	}
	*ret_who = who;
	return 0;
}

static const char main_cf[] =
	"myhostname = mail.here.example\n"
	"mydomain = here.example\n"
	"mydestination = $myhostname, $mydomain\n"
	"mynetworks = 127.0.0.0/8 !10.0.0.1 10.0.0.0/8\n"
	"recipient_delimiter = +\n"
	"local_recipient_maps = inline:{root=x, dave=x, list=x, self=x, hop=x} $alias_maps\n"
	"alias_maps = inline:{postmaster=root, {root=alice@acc.example},"
	" {hop=root}, {list=dave, erin@remote.example, nobody},"
	" {self=self, dave}, {cmd = \"|/bin/cmd\"}, {loop=pool}, {pool=loop} }\n"
	"virtual_alias_domains = va.example\n"
	"virtual_alias_maps = inline:{ one@va.example=dave,"
	" {two@va.example=dave, far@remote.example},"
	" {bad@va.example=nobody@here.example}, @catch.example=@acc.example,"
	" {me@remote.example=me@remote.example, dave}, {big@va.example=a,b,c,d,e,f} }\n"
	"virtual_mailbox_domains = vm.example, old.vm.example\n"
	"virtual_mailbox_maps = inline:{user@vm.example=x, @old.vm.example=x}\n"
	"virtual_transport = lmtp:unix:/run/lmtp\n"
	"relay_domains = relay.example, .sub.example\n"
	"relay_recipient_maps = inline:{ok@relay.example=x, @x.sub.example=x}\n"
	"relayhost = [gate.example]:26\n"
	"recipient_canonical_maps = inline:{old@here.example=dave@here.example}\n"
	"canonical_maps = inline:{d.ave@here.example=dave@here.example}\n"
	"sender_canonical_maps = inline:{dave@here.example=Dave.D@here.example}\n"
	"relocated_maps = inline:{moved@here.example=new@there.example}\n"
	"transport_maps = inline:{ slow.example=slow:, .slow.example=slow:,"
	" host.example=smtp:[h.example], next.example=:[n.example]:27,"
	" {err.example=error:5.7.1 go away}, {try.example=retry:4.2.2 later},"
	" void.example=discard:, {x@acc.example=smtp:[elsewhere.example]} }\n"
	"sender_dependent_relayhost_maps = inline:{vip@here.example=[vip.example],"
	" <>=[null.example], nope@here.example=DUNNO, @dom.example=[dom.example]}\n"
	"sender_dependent_default_transport_maps = inline:{mass@here.example=bulk:}\n"
	"virtual_alias_expansion_limit = 5\n";

/* what a test needs of a resolver */
struct fixture {
	struct conf		*dflt;
	struct conf		*conf;
	struct resolve_params	 params;
	struct resolver		*resolver;
	struct arena		 arena;
};

/* note_finding - findings fail the test */
static void
note_finding(void *arg, const struct diag *d)
{
	(void)arg;
	CHECK(false, 0);
	printf("# %s:%u: %s\n", d->file, d->line, d->text);
}

/* fixture_open - a resolver for main_cf and more */
static void
fixture_open(struct fixture *f, const char *more)
{
	static const struct mynetworks_interface own[] = {
		{ { false, { 127, 0, 0, 1 } }, 8 },
		{ { false, { 192, 0, 2, 7 } }, 24 },
	};
	const struct resolver_host host = { own, COUNT(own) };
	struct buf text = BUF_INIT;
	struct diag d = DIAG_INIT;

	buf_addf(&text, "%s%s", main_cf, more);
	*f = (struct fixture){ .arena = ARENA_INIT };
	f->dflt = conf_new(NULL);
	param_defaults(f->dflt, &resolve_param_table);
	f->conf = conf_new(f->dflt);
	if (CHECK_INT(conf_read(f->conf, buf_slice(&text), "main.cf", &d), 0,
	    0) < 0 || CHECK_INT(param_load(&resolve_param_table, f->conf,
	    &f->arena, &f->params, &d), 0, 0) < 0) {
		printf("# %u: %s\n", d.line, d.text);
		exit(1);
	}
	f->resolver = resolver_open(&f->params, &host, note_finding, NULL);
	buf_free(&text);
}

/* fixture_close - release all */
static void
fixture_close(struct fixture *f)
{
	resolver_close(&f->resolver);
	conf_free(&f->conf);
	conf_free(&f->dflt);
	arena_free(&f->arena);
}

/* format_result - "class code dsn text" or "class address>transport:nexthop" */
static void
format_result(struct buf *out, const struct resolve_result *r)
{
	buf_addf(out, "%d", r->class);
	if (r->status.code != 0) {
		buf_add_byte(out, ' ');
		status_format(out, &r->status);
		return;
	}
	for (size_t i = 0; i < r->count; i++)
		buf_addf(out, " %.*s>%.*s:%.*s", SLICE_ARG(r->target[i].address),
		    SLICE_ARG(r->target[i].transport),
		    SLICE_ARG(r->target[i].nexthop));
}

/* check_recipient - resolve and compare */
static void
check_recipient(struct fixture *f, const struct resolve_query *q,
    const char *want, size_t row)
{
	struct buf got = BUF_INIT;
	struct resolve_result result;

	if (CHECK_INT(resolve_recipient(f->resolver, q, &f->arena, &result), 0,
	    row) == 0) {
		format_result(&got, &result);
		CHECK_TEXT(buf_slice(&got), want, row);
	}
	buf_free(&got);
}

TEST(resolve_recipient)
{
	static const struct {
		const char	*in;
		const char	*want;
	} cases[] = {
		/* local */
		{ "dave@here.example", "1 dave@here.example>local:mail.here.example" },
		{ "DAVE@Mail.Here.Example", "1 DAVE@Mail.Here.Example>local:mail.here.example" },
		{ "dave", "1 dave@mail.here.example>local:mail.here.example" },
		{ "dave+x@here.example", "1 dave+x@here.example>local:mail.here.example" },
		{ "dave@[192.0.2.7]", "1 dave@[192.0.2.7]>local:mail.here.example" },
		{ "nobody@here.example", "1 550 5.1.1 <nobody@here.example>: Recipient address rejected: User unknown in local recipient table" },
		{ "mailer-daemon@here.example", "1 mailer-daemon@here.example>local:mail.here.example" },
		{ "double-bounce@here.example", "1 double-bounce@here.example>local:mail.here.example" },
		/* aliases of local users */
		{ "root@here.example", "1 alice@acc.example>store:7" },
		{ "postmaster", "1 alice@acc.example>store:7" },
		{ "hop+ext@here.example", "1 alice@acc.example>store:7" },
		{ "self@here.example", "1 dave@mail.here.example>local:mail.here.example self@mail.here.example>local:mail.here.example" },
		{ "list@here.example", "1 dave@mail.here.example>local:mail.here.example erin@remote.example>smtp:[gate.example]:26 nobody@mail.here.example>error:5.1.1 User unknown in local recipient table" },
		{ "cmd@here.example", "1 cmd@here.example>local:mail.here.example" },
		{ "loop@here.example", "1 550 5.1.1 <loop@here.example>: Recipient address rejected: User unknown: its alias names nobody" },
		/* accounts */
		{ "alice@acc.example", "3 alice@acc.example>store:7" },
		{ "Alice+x@Acc.example", "3 Alice+x@Acc.example>store:7" },
		{ "gone@acc.example", "3 550 5.1.1 <gone@acc.example>: Recipient address rejected: User unknown in virtual mailbox table" },
		{ "bob@acc.example", "3 alice@acc.example>store:7 x@remote.example>smtp:[gate.example]:26" },
		{ "team@acc.example", "3 alice@acc.example>store:7 dora@acc.example>store:9" },
		{ "team+x@acc.example", "3 alice@acc.example>store:7 dora@acc.example>store:9" },
		{ "dora+x@acc.example", "3 dora+x@acc.example>store:9" },
		{ "carol@here.example", "1 carol@here.example>store:8" },
		{ "carol+x", "1 carol+x@mail.here.example>store:8" },
		/* virtual aliases */
		{ "one@va.example", "2 dave@mail.here.example>local:mail.here.example" },
		{ "one+e@va.example", "2 dave+e@mail.here.example>local:mail.here.example" },
		{ "two@va.example", "2 dave@mail.here.example>local:mail.here.example far@remote.example>smtp:[gate.example]:26" },
		{ "none@va.example", "2 550 5.1.1 <none@va.example>: Recipient address rejected: User unknown in virtual alias table" },
		{ "bad@va.example", "2 550 5.1.1 <bad@va.example>: Recipient address rejected: User unknown in local recipient table" },
		{ "big@va.example", "2 451 4.6.0 <big@va.example>: Alias expansion error" },
		{ "alice@catch.example", "5 alice@acc.example>store:7" },
		{ "me@remote.example", "5 me@remote.example>smtp:[gate.example]:26 dave@mail.here.example>local:mail.here.example" },
		/* virtual mailboxes */
		{ "user@vm.example", "3 user@vm.example>lmtp:unix:/run/lmtp" },
		{ "user+x@vm.example", "3 user+x@vm.example>lmtp:unix:/run/lmtp" },
		{ "other@vm.example", "3 550 5.1.1 <other@vm.example>: Recipient address rejected: User unknown in virtual mailbox table" },
		{ "any@old.vm.example", "3 any@old.vm.example>lmtp:unix:/run/lmtp" },
		/* relay */
		{ "ok@relay.example", "4 ok@relay.example>relay:[gate.example]:26" },
		{ "no@relay.example", "4 550 5.1.1 <no@relay.example>: Recipient address rejected: User unknown in relay recipient table" },
		{ "no@y.relay.example", "4 550 5.1.1 <no@y.relay.example>: Recipient address rejected: User unknown in relay recipient table" },
		{ "a@x.sub.example", "5 a@x.sub.example>smtp:[gate.example]:26" },
		/* canonical, relocated */
		{ "old@here.example", "1 dave@here.example>local:mail.here.example" },
		{ "d.ave@here.example", "1 dave@here.example>local:mail.here.example" },
		{ "moved@here.example", "1 550 5.1.6 <moved@here.example>: Recipient address rejected: User has moved to new@there.example" },
		/* transport_maps */
		{ "a@slow.example", "5 a@slow.example>slow:slow.example" },
		{ "a@b.slow.example", "5 a@b.slow.example>slow:b.slow.example" },
		{ "a@host.example", "5 a@host.example>smtp:[h.example]" },
		{ "a@next.example", "5 a@next.example>smtp:[n.example]:27" },
		{ "a@err.example", "5 550 5.7.1 <a@err.example>: go away" },
		{ "a@try.example", "5 450 4.2.2 <a@try.example>: later" },
		{ "a@void.example", "5 a@void.example>discard:void.example" },
		/* routes through this host */
		{ "far%remote.example@here.example", "5 far@remote.example>smtp:[gate.example]:26" },
		{ "remote.example!far@here.example", "5 far@remote.example>smtp:[gate.example]:26" },
		{ "dave%here.example%here.example@here.example", "1 dave@here.example>local:mail.here.example" },
		{ "@here.example:far@remote.example", "5 far@remote.example>smtp:[gate.example]:26" },
		/* odd */
		{ "", "5 501 5.1.3 <>: Recipient address rejected: Bad recipient address syntax" },
		{ "user@", "5 501 5.1.3 <user@>: Recipient address rejected: Bad recipient address syntax" },
		{ "@example.org", "5 501 5.1.3 <@example.org>: Recipient address rejected: Bad recipient address syntax" },
		{ "a@b..c", "5 501 5.1.3 <a@b..c>: Recipient address rejected: Bad recipient address syntax" },
		{ "a@[1.2.3", "5 501 5.1.3 <a@[1.2.3>: Recipient address rejected: Bad recipient address syntax" },
		{ "a@[192.0.2.99]", "5 a@[192.0.2.99]>smtp:[gate.example]:26" },
		{ "a b@remote.example", "5 a b@remote.example>smtp:[gate.example]:26" },
	};
	struct fixture f;

	fixture_open(&f, "");
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct resolve_query q = {
			.recipient = slice_of(cases[i].in),
			.sender = S("s@remote.example"), .check = true,
			.may_relay = true, .may_block = true, .who = accounts,
		};

		check_recipient(&f, &q, cases[i].want, i);
	}
	fixture_close(&f);
}

TEST(unknown_users_are_taken_unchecked)
{
	const struct resolve_query q = {
		.recipient = S("nobody@here.example"), .may_block = true,
		.who = accounts,
	};
	struct fixture f;

	fixture_open(&f, "");
	check_recipient(&f, &q, "1 nobody@here.example>error:5.1.1 "
	    "User unknown in local recipient table", 0);
	fixture_close(&f);
}

TEST(relaying)
{
	static const struct {
		const char	*in;
		const char	*want;
	} cases[] = {
		{ "a@remote.example", "5 554 5.7.1 <a@remote.example>: Relay access denied" },
		{ "dave@here.example", "1 dave@here.example>local:mail.here.example" },
		{ "ok@relay.example", "4 ok@relay.example>relay:[gate.example]:26" },
		{ "me%out.example@relay.example", "4 554 5.7.1 <me%out.example@relay.example>: Relay access denied" },
		{ "far%remote.example@here.example", "5 554 5.7.1 <far%remote.example@here.example>: Relay access denied" },
		{ "remote.example!far@here.example", "5 554 5.7.1 <remote.example!far@here.example>: Relay access denied" },
		{ "two@va.example", "2 dave@mail.here.example>local:mail.here.example far@remote.example>smtp:[gate.example]:26" },
		{ "bob@acc.example", "3 alice@acc.example>store:7 x@remote.example>smtp:[gate.example]:26" },
	};
	struct fixture f;

	fixture_open(&f, "");
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct resolve_query q = {
			.recipient = slice_of(cases[i].in), .check = true,
			.sender = S("s@remote.example"), .may_block = true,
			.who = accounts,
		};

		check_recipient(&f, &q, cases[i].want, i);
	}
	fixture_close(&f);
}

TEST(routes_by_sender)
{
	static const struct {
		const char	*sender;
		const char	*want;
	} cases[] = {
		{ "a@other.example", "5 r@remote.example>smtp:[gate.example]:26" },
		{ "vip@here.example", "5 r@remote.example>smtp:[vip.example]" },
		{ "vip+x@here.example", "5 r@remote.example>smtp:[vip.example]" },
		{ "", "5 r@remote.example>smtp:[null.example]" },
		{ "nope@here.example", "5 r@remote.example>smtp:[gate.example]:26" },
		{ "a@dom.example", "5 r@remote.example>smtp:[dom.example]" },
		{ "mass@here.example", "5 r@remote.example>bulk:[gate.example]:26" },
	};
	struct fixture f;

	fixture_open(&f, "");
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct resolve_query q = {
			.recipient = S("r@remote.example"), .check = true,
			.sender = slice_of(cases[i].sender),
			.may_relay = true, .may_block = true, .who = accounts,
		};

		check_recipient(&f, &q, cases[i].want, i);
	}
	fixture_close(&f);
}

TEST(other_parameters)
{
	static const struct {
		const char	*conf;
		const char	*in;
		const char	*want;
	} cases[] = {
		{ "relayhost =\n", "a@remote.example", "5 a@remote.example>smtp:remote.example" },
		{ "default_transport = smtp:[d.example]\n", "a@remote.example", "5 a@remote.example>smtp:[d.example]" },
		{ "relay_transport = relay:[r.example]\n", "ok@relay.example", "4 ok@relay.example>relay:[r.example]" },
		{ "local_transport = lmtp:unix:/x\n", "dave", "1 dave@mail.here.example>lmtp:unix:/x" },
		{ "local_recipient_maps =\n", "nobody", "1 nobody@mail.here.example>local:mail.here.example" },
		{ "show_user_unknown_table_name = no\n", "nobody@here.example", "1 550 5.1.1 <nobody@here.example>: Recipient address rejected: User unknown" },
		{ "unknown_local_recipient_reject_code = 450\n", "nobody@here.example", "1 450 4.1.1 <nobody@here.example>: User unknown in local recipient table" },
		{ "append_at_myorigin = no\n", "dave", "5 501 5.1.3 <dave>: Recipient address rejected: Bad recipient address syntax" },
		{ "append_dot_mydomain = yes\n", "dave@mail", "1 dave@mail.here.example>local:mail.here.example" },
		{ "transport_maps = inline:{*=all:[x.example]}\n", "a@remote.example", "5 a@remote.example>all:[x.example]" },
		{ "transport_maps = inline:{{alice@acc.example=smtp:[e.example]}}\n", "alice@acc.example", "3 alice@acc.example>smtp:[e.example]" },
		{ "transport_maps = fail:x\n", "a@remote.example", "5 451 4.3.0 <a@remote.example>: Temporary lookup failure" },
		{ "virtual_alias_maps = fail:x\nvirtual_alias_domains =\n", "a@remote.example", "5 451 4.3.0 <a@remote.example>: Temporary lookup failure" },
		{ "mydestination = fail:x\n", "a@remote.example", "5 451 4.3.0 <a@remote.example>: Temporary lookup failure" },
		{ "propagate_unmatched_extensions = alias\n", "hop+e@here.example", "1 alice+e@acc.example>store:7" },
		{ "propagate_unmatched_extensions =\n", "one+e@va.example", "2 dave@mail.here.example>local:mail.here.example" },
		{ "virtual_alias_recursion_limit = 1\nvirtual_alias_maps = inline:{a@va.example=b@va.example,b@va.example=c@va.example,c@va.example=dave}\n", "a@va.example", "2 451 4.6.0 <a@va.example>: Alias expansion error" },
		{ "virtual_alias_maps = inline:{a@va.example=b@va.example,b@va.example=c@va.example,c@va.example=dave}\n", "a@va.example", "2 dave@mail.here.example>local:mail.here.example" },
		{ "relocated_prefix_enable = no\nrelocated_maps = inline:{{moved@here.example=4.1.6 not here}}\n", "moved@here.example", "1 450 4.1.6 <moved@here.example>: not here" },
		{ "parent_domain_matches_subdomains =\n", "no@y.relay.example", "5 no@y.relay.example>smtp:[gate.example]:26" },
		{ "parent_domain_matches_subdomains =\n", "a@x.sub.example", "4 a@x.sub.example>relay:[gate.example]:26" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct resolve_query q = {
			.recipient = slice_of(cases[i].in),
			.sender = S("s@remote.example"), .check = true,
			.may_relay = true, .may_block = true, .who = accounts,
		};
		struct fixture f;

		fixture_open(&f, cases[i].conf);
		check_recipient(&f, &q, cases[i].want, i);
		fixture_close(&f);
	}
}

TEST(waiting)			/* what is not known now is no answer */
{
	struct resolve_query q = {
		.recipient = S("waits@acc.example"), .check = true,
		.who = accounts,
	};
	struct fixture f;
	struct resolve_result result;

	fixture_open(&f, "");
	CHECK_INT(resolve_recipient(f.resolver, &q, &f.arena, &result), -EAGAIN,
	    0);
	fixture_close(&f);
	fixture_open(&f, "local_recipient_maps = unix:passwd.byname\n");
	q.recipient = S("alice@acc.example");
	check_recipient(&f, &q, "3 alice@acc.example>store:7", 1);
	q.recipient = S("root2@here.example");
	CHECK_INT(resolve_recipient(f.resolver, &q, &f.arena, &result),
	    -EINPROGRESS, 2);
	q.may_block = true;
	CHECK_INT(resolve_recipient(f.resolver, &q, &f.arena, &result), 0, 3);
	CHECK_INT(result.status.code, 550, 3);
	fixture_close(&f);
}

TEST(resolve_sender)
{
	static const struct {
		const char	*conf;
		const char	*in;
		bool		 local;
		const char	*want;
	} cases[] = {
		{ "", "dave", true, "dave@mail.here.example" },
		{ "", "dave@here.example", true, "Dave.D@here.example" },
		{ "", "dave+x@here.example", true, "Dave.D+x@here.example" },
		{ "", "dave", false, "dave" },
		{ "remote_header_rewrite_domain = domain.invalid\n", "dave",
			false, "dave@domain.invalid" },
		{ "", "", true, "" },
		{ "", "a@b", true, "a@b" },
		{ "", "d.ave@here.example", true, "dave@here.example" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture f;
		struct slice got;

		fixture_open(&f, cases[i].conf);
		if (CHECK_INT(resolve_rewrite(f.resolver,
		    slice_of(cases[i].in), RESOLVE_HEADER_SENDER,
		    cases[i].local, true, &f.arena, &got), 0, i) == 0)
			CHECK_TEXT(got, cases[i].want, i);
		fixture_close(&f);
	}
}

TEST(resolve_canonical_and_masquerade)
{
#define TABLES	"canonical_maps = inline:{ a@x.example=b@x.example," \
	" b@x.example=c@x.example, own@x.example=own@x.example," \
	" ring@x.example=round@x.example, round@x.example=ring@x.example," \
	" u1@x.example=v1, plus@x.example=minus@x.example," \
	" @old.example=@new.example }\n" \
	"sender_canonical_maps = inline:{ s@x.example=a@x.example }\n" \
	"recipient_canonical_maps = inline:{ r@x.example=a@x.example }\n"
#define MASQ	"masquerade_domains = !keep.m.example, m.example, !n.example\n"
	static const struct {
		const char	*conf;
		enum resolve_what what;
		const char	*in;
		const char	*want;
	} cases[] = {
		/* what is found is looked up again */
		{ TABLES, RESOLVE_ENVELOPE_SENDER, "a@x.example", "c@x.example" },
		{ TABLES, RESOLVE_ENVELOPE_SENDER, "s@x.example", "c@x.example" },
		{ TABLES, RESOLVE_HEADER_SENDER, "s@x.example", "c@x.example" },
		{ TABLES, RESOLVE_HEADER_RECIPIENT, "s@x.example", "s@x.example" },
		{ TABLES, RESOLVE_HEADER_RECIPIENT, "r@x.example", "c@x.example" },
		{ TABLES, RESOLVE_ENVELOPE_SENDER, "r@x.example", "r@x.example" },
		{ TABLES, RESOLVE_ENVELOPE_SENDER, "own@x.example", "own@x.example" },
		/* in circles: ten steps, and it stays where it is */
		{ TABLES, RESOLVE_ENVELOPE_SENDER, "ring@x.example", "ring@x.example" },
		{ TABLES, RESOLVE_ENVELOPE_SENDER, "u1@x.example", "v1@mail.here.example" },
		/* extensions, whole domains */
		{ TABLES, RESOLVE_ENVELOPE_SENDER, "plus+e@x.example", "minus+e@x.example" },
		{ TABLES "propagate_unmatched_extensions = virtual\n",
		  RESOLVE_ENVELOPE_SENDER, "plus+e@x.example", "minus@x.example" },
		{ TABLES, RESOLVE_ENVELOPE_SENDER, "u@old.example", "u@new.example" },
		{ TABLES, RESOLVE_ENVELOPE_SENDER, "u+e@old.example", "u+e@new.example" },
		/* classes */
		{ TABLES "canonical_classes = header_sender\n",
		  RESOLVE_ENVELOPE_SENDER, "s@x.example", "a@x.example" },
		{ TABLES "canonical_classes = header_sender\n",
		  RESOLVE_HEADER_SENDER, "s@x.example", "c@x.example" },
		{ TABLES "sender_canonical_classes = envelope_recipient\n",
		  RESOLVE_ENVELOPE_SENDER, "s@x.example", "s@x.example" },
		{ TABLES "canonical_classes =\nrecipient_canonical_classes = "
		  "Envelope_Sender\n", RESOLVE_ENVELOPE_SENDER, "r@x.example",
		  "a@x.example" },
		/* masquerading; by default not of envelope recipients */
		{ MASQ, RESOLVE_ENVELOPE_SENDER, "u@h.m.example", "u@m.example" },
		{ MASQ, RESOLVE_HEADER_SENDER, "u@a.b.M.Example", "u@m.example" },
		{ MASQ, RESOLVE_HEADER_RECIPIENT, "u@h.m.example", "u@m.example" },
		{ MASQ, RESOLVE_ENVELOPE_RECIPIENT, "u@h.m.example", "u@h.m.example" },
		{ MASQ, RESOLVE_ENVELOPE_SENDER, "u@m.example", "u@m.example" },
		{ MASQ, RESOLVE_ENVELOPE_SENDER, "u@xm.example", "u@xm.example" },
		{ MASQ, RESOLVE_ENVELOPE_SENDER, "u@h.keep.m.example",
		  "u@h.keep.m.example" },
		{ MASQ, RESOLVE_ENVELOPE_SENDER, "u@keep.m.example",
		  "u@keep.m.example" },
		{ MASQ, RESOLVE_ENVELOPE_SENDER, "u@h.n.example", "u@h.n.example" },
		{ MASQ, RESOLVE_ENVELOPE_SENDER, "u@h.other.example",
		  "u@h.other.example" },
		{ MASQ "masquerade_exceptions = root, daemon\n",
		  RESOLVE_ENVELOPE_SENDER, "Root@h.m.example", "Root@h.m.example" },
		{ MASQ "masquerade_exceptions = root\n",
		  RESOLVE_ENVELOPE_SENDER, "user@h.m.example", "user@m.example" },
		{ MASQ "masquerade_exceptions = fail:x\n",
		  RESOLVE_ENVELOPE_SENDER, "u@h.m.example", NULL },
		{ MASQ "masquerade_classes = envelope_recipient\n",
		  RESOLVE_ENVELOPE_RECIPIENT, "u@h.m.example", "u@m.example" },
		/* after the tables */
		{ TABLES "masquerade_domains = example\n",
		  RESOLVE_ENVELOPE_SENDER, "a@x.example", "c@example" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture f;
		struct slice got = SLICE_EMPTY;
		int r;

		fixture_open(&f, cases[i].conf);
		r = resolve_rewrite(f.resolver, slice_of(cases[i].in),
		    cases[i].what, true, true, &f.arena, &got);
		CHECK((r == 0) == (cases[i].want != NULL), i);
		if (r == 0 && cases[i].want != NULL)
			CHECK_TEXT(got, cases[i].want, i);
		fixture_close(&f);
	}
}

TEST(resolve_sender_of_a_recipient)	/* it is rewritten, then tables asked */
{
	static const struct { const char *sender, *rewritten, *hop; } cases[] = {
		{ "boss@x.example", "vip@here.example", "[vip.example]" },
		{ "vip@here.example", "vip@here.example", "[vip.example]" },
		{ "vip", "vip@mail.here.example", "[gate.example]:26" },
		{ "", "", "[null.example]" },
		{ "u@h.dom.example", "u@dom.example", "[dom.example]" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture f;
		struct resolve_query q = { .recipient = S("a@far.example"),
		    .sender = slice_of(cases[i].sender), .may_relay = true,
		    .may_block = true };
		struct resolve_result result;

		fixture_open(&f, "canonical_maps = inline:{"
		    "boss@x.example=vip@here.example}\n"
		    "masquerade_domains = dom.example\n");
		if (CHECK_INT(resolve_recipient(f.resolver, &q, &f.arena,
		    &result), 0, i) == 0 && CHECK_INT(result.count, 1, i) == 1) {
			CHECK_TEXT(result.sender, cases[i].rewritten, i);
			CHECK_TEXT(result.target[0].nexthop, cases[i].hop, i);
		}
		fixture_close(&f);
	}
}

TEST(resolve_client)
{
	static const struct {
		const char	*conf;
		const char	*address;
		int		 want;
	} cases[] = {
		{ "", "127.0.0.1", 1 },
		{ "", "10.0.0.1", 0 },
		{ "", "10.0.0.2", 1 },
		{ "", "192.0.2.7", 0 },
		{ "mynetworks =\n", "127.0.0.1", 0 },
		{ "mynetworks = by_style\n", "192.0.2.7", 1 },
		{ "mynetworks = by_style\n", "192.0.2.8", 0 },
		{ "mynetworks = by_style\nmynetworks_style = subnet\n",
			"192.0.2.8", 1 },
		{ "mynetworks = fail:x\n", "192.0.2.8", -EIO },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture f;

		fixture_open(&f, cases[i].conf);
		CHECK_INT(resolve_client(f.resolver, SLICE_EMPTY,
		    slice_of(cases[i].address), true), cases[i].want, i);
		fixture_close(&f);
	}
}
