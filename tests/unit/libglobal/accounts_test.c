/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/accounts.h"
#include "libglobal/accounts_password.h"
#include "libmail/addr.h"
#include "libutil/diag.h"

#define HASH	"$6$salt$hash"
#define NOW	1700000000

/* a database in a folder of its own */
static struct accounts *
fresh(char *folder, size_t size)
{
	static int	 n;
	struct accounts	*a = NULL;
	struct diag	 diag = DIAG_INIT;

	(void)snprintf(folder, size, "%s/%d", test_tmpdir(), n++);
	if (mkdir(folder, 0700) < 0)
		abort();
	CHECK_INT(accounts_open(folder, ACCOUNTS_WRITE, &a, &diag), 0, 0);
	return a;
}

static struct accounts_edited
edit(struct accounts *a, const char *verb, const char *name,
    const char *value, int want, size_t row)
{
	static uint64_t		id;
	struct accounts_edit	e = { .name = slice_of(name),
				    .value = slice_of(value), .now = NOW };
	struct accounts_edited	done = { .account = "" };

	id++;
	accounts_id_make((const unsigned char *)&id, e.id);
	CHECK_INT(accounts_verb(slice_of(verb), &e.verb), 0, row);
	if (CHECK_INT(accounts_edit(a, &e, &done), want, row) != want)
		printf("# %s %s: %s\n", verb, name, done.text);
	CHECK((want == -EINVAL) == (done.text[0] != '\0'), row);
	return done;
}

struct row {
	const char	*verb;
	const char	*name;
	const char	*value;
	int		 want;
};

static void
edit_all(struct accounts *a, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)edit(a, rows[i].verb, rows[i].name, rows[i].value,
		    rows[i].want, i);
}

static const struct row people[] = {
	{ "domain-add",		"Example.ORG",		"",	0 },
	{ "domain-add",		"b\xc3\xbc" "cher.example", "",	0 },
	{ "account-add",	"alice@example.org",	HASH,	0 },
	{ "account-add",	"Bob@Example.org",	HASH,	0 },
	{ "account-add",	"carol@b\xc3\xbc" "cher.example", HASH, 0 },
};

TEST(accounts_edit)
{
	static const struct row rows[] = {
		{ "domain-add",	"example.org",		"",	-EINVAL },
		{ "domain-add",	"no domain",		"",	-EINVAL },
		{ "domain-add",	"",			"",	-EINVAL },
		{ "account-add", "alice@EXAMPLE.org",	HASH,	-EINVAL },
		{ "account-add", "ALICE@example.org",	HASH,	-EINVAL },
		{ "account-add", "dave@example.net",	HASH,	-EINVAL },
		{ "account-add", "dave",		HASH,	-EINVAL },
		{ "account-add", "@example.org",	HASH,	-EINVAL },
		{ "account-add", "a b@example.org",	HASH,	-EINVAL },
		{ "account-add", "\"a b\"@example.org",	HASH,	0 },
		{ "account-add", "dave@example.org",	"",	-EINVAL },
		{ "account-add", "dave@example.org",	"secret", -EINVAL },
		{ "account-password", "dave@example.org", HASH,	-EINVAL },
		{ "account-password", "alice@example.org", "$5$a$b", 0 },
		{ "account-quota", "alice@example.org",	"10",	-EINVAL },
		{ "account-quota", "alice@example.org",	"10 -1", -EINVAL },
		{ "account-quota", "alice@example.org",	"10 1 2", -EINVAL },
		{ "account-quota", "alice@example.org",	"1000 10", 0 },
		{ "account-name", "alice@example.org",	"Alice \xc3\x84", 0 },
		{ "account-name", "alice@example.org",	"Ali\nce", -EINVAL },
		{ "account-name", "alice@example.org",	"\xff",	-EINVAL },
		{ "account-delete", "dave@example.org",	"",	-EINVAL },
		{ "alias-add",	"info@example.org",	"",	-EINVAL },
		{ "alias-add",	"info@example.org",	"no one", -EINVAL },
		{ "alias-add",	"info@example.net",	"a@b.c", -EINVAL },
		{ "alias-add",	"info@example.org",	"a@b.example\r\n\n"
							"c@d.example", 0 },
		{ "alias-add",	"info@example.org",	"a@b.example", -EINVAL },
		{ "alias-set",	"info@example.org",	"e@f.example", 0 },
		{ "alias-add",	"@example.org",		"alice@example.org", 0 },
		{ "alias-delete", "nobody@example.org",	"",	-EINVAL },
		{ "group-add",	"all@example.org",	"x@y.example", -EINVAL },
		{ "group-add",	"alice@example.org",	"bob@example.org",
								-EINVAL },
		{ "group-add",	"all@example.org",	"alice@example.org\n"
							"bob@example.org", 0 },
		{ "group-add",	"all@example.org",	"bob@example.org",
								-EINVAL },
		{ "account-add", "all@example.org",	HASH,	-EINVAL },
		{ "alias-add",	"all@example.org",	"a@b.example", -EINVAL },
		{ "domain-delete", "example.org",	"",	-EINVAL },
		{ "domain-delete", "example.net",	"",	-EINVAL },
		{ "domain-quota", "example.org",	"5 6",	0 },
		{ "shared-add",	"team@example.org",	"all@example.org", 0 },
		{ "account-password", "team@example.org", HASH,	-EINVAL },
		{ "shared-set",	"alice@example.org",	"bob@example.org",
								-EINVAL },
		{ "shared-set",	"team@example.org",	"bob@example.org", 0 },
	};
	char			 folder[512];
	struct accounts		*a = fresh(folder, sizeof(folder));
	enum accounts_verb	 verb;

	CHECK_INT(accounts_verb(S("account-rename"), &verb), -ENOENT, 0);
	CHECK_INT(accounts_verb(S("account-add"), &verb), 0, 0);
	CHECK(accounts_verb_has_password(verb), 0);
	edit_all(a, people, COUNT(people));
	edit_all(a, rows, COUNT(rows));
	accounts_close(&a);
}

static void
found_damage(void *arg, const char *what)
{
	(void)what;
	(*(int *)arg)++;
}

TEST(accounts_records)
{
	char			 folder[512];
	struct accounts		*a = fresh(folder, sizeof(folder));
	struct arena		 arena = ARENA_INIT;
	struct accounts_account	 alice, again;
	struct accounts_domain	 d;
	struct accounts_edited	 done;
	uint64_t		 bytes, messages;
	int			 damage = 0;

	edit_all(a, people, COUNT(people));
	CHECK_INT(accounts_by_login(a, S("ALICE@example.ORG"), &arena, &alice),
	    0, 0);
	CHECK_TEXT(alice.login, "alice@example.org", 0);
	CHECK_INT(alice.id.len, ACCOUNTS_ID_SIZE, 0);
	CHECK_INT(alice.flags, ACCOUNTS_ENABLED, 0);
	CHECK_INT(alice.created, NOW, 0);
	CHECK_INT(accounts_by_login(a,
	    S("carol@xn--bcher-kva.example"), &arena, &again), 0, 0);
	CHECK_INT(accounts_by_login(a, S("carol"), &arena, &again), -ENOENT, 0);
	CHECK_INT(accounts_by_id(a, alice.id, &arena, &again), 0, 0);
	CHECK_SLICE(again.login, alice.login, 0);
	CHECK_INT(accounts_by_id(a, S("0123"), &arena, &again), -ENOENT, 0);
	CHECK_INT(accounts_domain(a, S("EXAMPLE.org."), &arena, &d), 0, 0);
	CHECK_TEXT(d.name, "example.org", 0);

	/* limits: none, the domain's, its own */
	CHECK_INT(accounts_quota(a, &alice, &bytes, &messages), 0, 0);
	CHECK(bytes == 0 && messages == 0, 0);
	(void)edit(a, "domain-quota", "example.org", "7 8", 0, 0);
	CHECK_INT(accounts_quota(a, &alice, &bytes, &messages), 0, 1);
	CHECK(bytes == 7 && messages == 8, 1);
	(void)edit(a, "account-quota", "alice@example.org", "0 9", 0, 0);
	CHECK_INT(accounts_by_id(a, alice.id, &arena, &alice), 0, 0);
	CHECK_INT(accounts_quota(a, &alice, &bytes, &messages), 0, 2);
	CHECK(bytes == 0 && messages == 9, 2);
	(void)edit(a, "account-quota", "alice@example.org", "default", 0, 0);
	CHECK_INT(accounts_by_id(a, alice.id, &arena, &alice), 0, 0);
	CHECK_INT(accounts_quota(a, &alice, &bytes, &messages), 0, 3);
	CHECK(bytes == 7 && messages == 8, 3);

	/* who is void, and an id that is gone */
	done = edit(a, "account-disable", "bob@example.org", "", 0, 0);
	CHECK(done.is_void, 0);
	done = edit(a, "account-enable", "bob@example.org", "", 0, 0);
	CHECK(!done.is_void, 0);
	done = edit(a, "account-delete", "alice@example.org", "", 0, 0);
	CHECK(done.is_void, 0);
	CHECK_SLICE(slice_of(done.account), alice.id, 0);
	CHECK_INT(accounts_by_id(a, alice.id, &arena, &again), -ENOENT, 0);
	{
		struct accounts_edit e = { ACCOUNTS_ACCOUNT_ADD,
		    S("alice@example.org"), S(HASH), "", NOW };

		memcpy(e.id, alice.id.data, ACCOUNTS_ID_SIZE);
		CHECK_INT(accounts_edit(a, &e, &done), -EEXIST, 0);
	}
	CHECK_INT(accounts_check(a, found_damage, &damage), 0, 0);
	accounts_close(&a);

	/* what was written is there when it is opened again */
	CHECK_INT(accounts_open(folder, ACCOUNTS_READ, &a, NULL), 0, 0);
	CHECK_INT(accounts_by_login(a, S("bob@example.org"), &arena, &again),
	    0, 0);
	accounts_close(&a);
	arena_free(&arena);
}

/* one answer as a text: accounts in <>, those with a quota in <!>, addresses
 * bare */
static void
who_text(const struct accounts_who *who, struct buf *out)
{
	buf_reset(out);
	buf_add_text(out, !who->domain ? "foreign" : !who->found ? "unknown" :
	    "");
	for (size_t i = 0; i < who->count; i++)
		buf_addf(out, who->target[i].account.len == 0 ? "%.*s;" :
		    who->target[i].is_limited ? "<!%.*s>" : "<%.*s>",
		    SLICE_ARG(who->target[i].address));
}

TEST(accounts_resolve)
{
	static const struct row rows[] = {
		{ "alias-add",	"info@example.org",	"bob@example.org\n"
							"x@y.example", 0 },
		{ "alias-add",	"bob@example.org",	"bob@example.org\n"
							"bob@y.example", 0 },
		{ "alias-add",	"loop@example.org",	"loop@example.org", 0 },
		{ "alias-add",	"@xn--bcher-kva.example", "carol@b\xc3\xbc"
		    "cher.example\nz@y.example", 0 },
		{ "account-add", "dot.ted@example.org",	HASH,	0 },
		{ "account-add", "gone@example.org",	HASH,	0 },
		{ "account-add", "two@example.org",	HASH,	0 },
		{ "group-add",	"all@example.org",	"alice@example.org\n"
		    "gone@example.org\nbob@example.org\nalice@example.org", 0 },
		{ "group-add",	"ring@example.org",	"all@example.org\n"
		    "two@example.org", 0 },
		{ "group-set",	"all@example.org",	"ring@example.org\n"
		    "alice@example.org\ngone@example.org\nbob@example.org", 0 },
		{ "group-add",	"empty@example.org",	"gone@example.org", 0 },
		{ "account-disable", "alice@example.org", "",	0 },
		{ "account-delete", "gone@example.org",	"",	0 },
		{ "account-quota", "two@example.org",	"0 9",	0 },
		{ "domain-quota", "xn--bcher-kva.example", "5 0", 0 },
	};
	static const struct {
		const char	*address;
		const char	*want;
		bool		 is_fast;
	} cases[] = {
		{ "a@example.net",	"foreign",		true },
		{ "a",			"foreign",		true },
		{ "a@",			"foreign",		true },
		{ "@example.org",	"unknown",		false },
		{ "none@example.org",	"unknown",		false },
		{ "two@example.org",	"<!two@example.org>",	true },
		{ "TWO@EXAMPLE.org",	"<!two@example.org>",	true },
		{ "two+x@example.org",	"<!two@example.org>",	false },
		{ "two-x@example.org",	"unknown",		false },
		{ "alice@example.org",	"<alice@example.org>",	true },
		{ "info@example.org",	"bob@example.org;x@y.example;", false },
		{ "info+a@example.org",	"bob+a@example.org;x+a@y.example;",
								false },
		/* a name that is alias and account: a copy for each */
		{ "bob@example.org",	"<bob@example.org>bob@y.example;",
								false },
		{ "loop@example.org",	"unknown",		false },
		{ "q@b\xc3\xbc" "cher.example",
		    "carol@xn--bcher-kva.example;z@y.example;",	false },
		{ "carol@b\xc3\xbc" "cher.example",
		    "<!carol@xn--bcher-kva.example>",		true },
		{ "all@example.org", "<!two@example.org><alice@example.org>"
		    "<bob@example.org>",			false },
		{ "ring@example.org", "<alice@example.org><bob@example.org>"
		    "<!two@example.org>",			false },
		{ "gone@example.org",	"unknown",		false },
		{ "empty@example.org",	"unknown",		false },
		{ "a\nb@example.org",	"foreign",		true },
	};
	struct addr_delimiters	 delimiters = { S("+"), false, SLICE_EMPTY };
	char			 folder[512];
	struct accounts		*a = fresh(folder, sizeof(folder));
	struct arena		 arena = ARENA_INIT;
	struct buf		 text = BUF_INIT;
	struct accounts_who	 who;

	edit_all(a, people, COUNT(people));
	edit_all(a, rows, COUNT(rows));
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice address = slice_of(cases[i].address);

		CHECK_INT(accounts_resolve(a, address, &delimiters, true,
		    &arena, &who), 0, i);
		who_text(&who, &text);
		CHECK_TEXT(buf_slice(&text), cases[i].want, i);
		CHECK_INT(accounts_resolve_fast(a, address, &arena, &who),
		    cases[i].is_fast ? 0 : -EINPROGRESS, i);
		if (cases[i].is_fast) {
			who_text(&who, &text);
			CHECK_TEXT(buf_slice(&text), cases[i].want, i);
		}
	}
	CHECK_INT(accounts_resolve(a, S("info+a@example.org"), &delimiters,
	    false, &arena, &who), 0, 0);
	who_text(&who, &text);
	CHECK_TEXT(buf_slice(&text), "bob@example.org;x@y.example;", 0);
	buf_free(&text);
	arena_free(&arena);
	accounts_close(&a);
}

TEST(accounts_shared)
{
	char			 folder[512];
	struct accounts		*a = fresh(folder, sizeof(folder));
	struct arena		 arena = ARENA_INIT;
	struct accounts_account	 alice, bob, carol, team;
	bool			 may;

	edit_all(a, people, COUNT(people));
	(void)edit(a, "group-add", "crew@example.org", "bob@example.org", 0, 0);
	(void)edit(a, "shared-add", "team@example.org",
	    "alice@example.org\ncrew@example.org", 0, 0);
	CHECK_INT(accounts_by_login(a, S("team@example.org"), &arena, &team),
	    0, 0);
	CHECK_INT(accounts_by_login(a, S("alice@example.org"), &arena, &alice),
	    0, 0);
	CHECK_INT(accounts_by_login(a, S("bob@example.org"), &arena, &bob),
	    0, 0);
	CHECK_INT(accounts_by_login(a, S("carol@xn--bcher-kva.example"),
	    &arena, &carol), 0, 0);
	CHECK(team.flags & ACCOUNTS_SHARED, 0);
	CHECK_INT(accounts_may_share(a, team.id, alice.id, &may), 0, 0);
	CHECK(may, 0);
	CHECK_INT(accounts_may_share(a, team.id, bob.id, &may), 0, 0);
	CHECK(may, 0);
	CHECK_INT(accounts_may_share(a, team.id, carol.id, &may), 0, 0);
	CHECK(!may, 0);
	CHECK_INT(accounts_may_share(a, alice.id, alice.id, &may), -ENOENT, 0);

	/* who is deleted is a member no longer, nor is a later namesake */
	(void)edit(a, "account-delete", "bob@example.org", "", 0, 0);
	(void)edit(a, "account-add", "bob@example.org", HASH, 0, 0);
	CHECK_INT(accounts_by_login(a, S("bob@example.org"), &arena, &bob),
	    0, 0);
	CHECK_INT(accounts_may_share(a, team.id, bob.id, &may), 0, 1);
	CHECK(!may, 1);
	(void)edit(a, "group-delete", "crew@example.org", "", 0, 0);
	CHECK_INT(accounts_may_share(a, team.id, alice.id, &may), 0, 0);
	CHECK(may, 0);
	arena_free(&arena);
	accounts_close(&a);
}

/* members - of a group or a shared account, a comma behind each */
static void
members(struct accounts *a, const char *kind, const char *want, size_t row)
{
	struct arena		 arena = ARENA_INIT;
	struct accounts_row	*rows;
	struct buf		 got = BUF_INIT;
	struct slice		 line;
	size_t			 count = 0;
	bool			 more;

	CHECK_INT(accounts_list(a, slice_of(kind), SLICE_EMPTY, &arena, &rows,
	    &count, &more), 0, row);
	while (count == 1 && slice_next_word(&rows[0].value, "\n", &line))
		buf_addf(&got, "%.*s,", SLICE_ARG(line));
	CHECK_TEXT(buf_slice(&got), want, row);
	buf_free(&got);
	arena_free(&arena);
}

TEST(accounts_members)		/* the same for groups and shared accounts */
{
	static const struct {
		const char *verb, *value; int want; const char *members;
	} steps[] = {
		{ "join", "bob@example.org", 0,
		  "alice@example.org,bob@example.org," },
		{ "join", "BOB@example.org\nalice@example.org", 0,
		  "alice@example.org,bob@example.org," },	/* once each */
		{ "join", "carol@b\xc3\xbc" "cher.example\nno@example.org",
		  -EINVAL, "alice@example.org,bob@example.org," },
		{ "join", "", -EINVAL, "alice@example.org,bob@example.org," },
		{ "leave", "carol@xn--bcher-kva.example", -EINVAL,
		  "alice@example.org,bob@example.org," },
		{ "leave", "alice@example.org", 0, "bob@example.org," },
		{ "leave", "alice@example.org", -EINVAL, "bob@example.org," },
		{ "leave", "bob@example.org", 0, "" },
		{ "join", "alice@example.org", 0, "alice@example.org," },
	};
	static const char *const kinds[] = { "group", "shared" };
	char			 folder[512], verb[32], name[64];
	struct accounts		*a = fresh(folder, sizeof(folder));
	struct accounts_edited	 done;

	edit_all(a, people, COUNT(people));
	for (size_t k = 0; k < COUNT(kinds); k++) {
		(void)snprintf(name, sizeof(name), "%ss@example.org", kinds[k]);
		(void)snprintf(verb, sizeof(verb), "%s-join", kinds[k]);
		(void)edit(a, verb, name, "bob@example.org", -EINVAL, k);
		(void)edit(a, verb, "alice@example.org", "bob@example.org",
		    -EINVAL, k);
		(void)snprintf(verb, sizeof(verb), "%s-add", kinds[k]);
		(void)edit(a, verb, name, "alice@example.org", 0, k);
		for (size_t i = 0; i < COUNT(steps); i++) {
			(void)snprintf(verb, sizeof(verb), "%s-%s", kinds[k],
			    steps[i].verb);
			done = edit(a, verb, name, steps[i].value,
			    steps[i].want, i);
			/* who may no longer use it is thrown out */
			CHECK(done.is_void == (k == 1 && steps[i].want == 0 &&
			    strcmp(steps[i].verb, "leave") == 0), i);
			members(a, kinds[k], steps[i].members, i);
		}
		(void)snprintf(verb, sizeof(verb), "%s-delete", kinds[k]);
		(void)edit(a, verb, "alice@example.org", "", -EINVAL, k);
		(void)edit(a, verb, name, "", 0, k);
		(void)edit(a, verb, name, "", -EINVAL, k);
	}
	accounts_close(&a);
}

TEST(accounts_list)
{
	char			 folder[512], name[64];
	struct accounts		*a = fresh(folder, sizeof(folder));
	struct arena		 arena = ARENA_INIT;
	struct accounts_row	*rows;
	struct buf		 last = BUF_INIT, targets = BUF_INIT;
	size_t			 count, total = 0, pages = 0;
	bool			 more = true;

	edit_all(a, people, COUNT(people));
	(void)edit(a, "alias-add", "x@example.org", "a@b.example\nc@d.example",
	    0, 0);
	(void)edit(a, "shared-add", "team@example.org", "alice@example.org", 0,
	    0);
	(void)edit(a, "account-disable", "bob@example.org", "", 0, 0);
	CHECK_INT(accounts_list(a, S("what"), SLICE_EMPTY, &arena, &rows,
	    &count, &more), -EINVAL, 0);
	CHECK_INT(accounts_list(a, S("account"), SLICE_EMPTY, &arena, &rows,
	    &count, &more), 0, 0);
	if (CHECK_INT(count, 3, 0) == 3) {
		CHECK_TEXT(rows[0].name, "alice@example.org", 0);
		CHECK(rows[0].enabled && !rows[1].enabled, 0);
		CHECK_TEXT(rows[2].name, "carol@xn--bcher-kva.example", 0);
	}
	CHECK(!more, 0);
	CHECK_INT(accounts_list(a, S("shared"), SLICE_EMPTY, &arena, &rows,
	    &count, &more), 0, 0);
	if (CHECK_INT(count, 1, 0) == 1)
		CHECK_TEXT(rows[0].value, "alice@example.org\n", 0);
	CHECK_INT(accounts_list(a, S("domain"), S("example.org"), &arena,
	    &rows, &count, &more), 0, 0);
	if (CHECK_INT(count, 1, 0) == 1)
		CHECK_TEXT(rows[0].name, "xn--bcher-kva.example", 0);
	while (targets.len < 90000)
		buf_add_text(&targets, "somebody.with.a.name@b.example\n");
	for (int i = 0; i < 30; i++) {
		(void)snprintf(name, sizeof(name), "n%d@example.org", i);
		(void)edit(a, "alias-add", name, buf_cstr(&targets), 0, 0);
	}
	for (more = true; more; total += count, pages++) {
		arena_reset(&arena);
		if (CHECK_INT(accounts_list(a, S("alias"), buf_slice(&last),
		    &arena, &rows, &count, &more), 0, 0) < 0)
			break;
		if (count > 0) {
			buf_reset(&last);
			buf_add(&last, rows[count - 1].name);
		}
	}
	CHECK_INT(total, 31, 0);
	CHECK(pages > 1, 0);
	buf_free(&targets);
	buf_free(&last);
	arena_free(&arena);
	accounts_close(&a);
}

TEST(accounts_locks)
{
	char		 folder[512], file[600];
	struct accounts	*a = fresh(folder, sizeof(folder)), *b = NULL;
	struct diag	 diag = DIAG_INIT;

	/* a lock of the same process, over another descriptor, is one */
	CHECK_INT(accounts_open(folder, ACCOUNTS_READ, &b, &diag), -EBUSY, 0);
	CHECK(diag.text[0] != '\0', 0);
	accounts_close(&a);
	CHECK_INT(accounts_open(folder, ACCOUNTS_READ, &a, NULL), 0, 0);
	accounts_close(&a);
	(void)snprintf(file, sizeof(file), "%s/" ACCOUNTS_FILE, folder);
	CHECK_INT(unlink(file), 0, 0);
	CHECK_INT(accounts_open(folder, ACCOUNTS_READ, &a, NULL), -ENOENT, 0);
	(void)snprintf(file, sizeof(file), "%s/none", folder);
	CHECK_INT(accounts_open(file, ACCOUNTS_WRITE, &a, NULL), -ENOENT, 0);
	CHECK(a == NULL && b == NULL, 0);
}

/* flip - change bytes of a file that follow a mark */
static void
flip(const char *folder, const char *mark)
{
	static char	 all[1 << 20];
	char		 file[600];
	ssize_t		 n;
	int		 fd;

	(void)snprintf(file, sizeof(file), "%s/" ACCOUNTS_FILE, folder);
	fd = open(file, O_RDWR);
	n = pread(fd, all, sizeof(all), 0);
	for (ssize_t i = 0; i + (ssize_t)strlen(mark) < n; i++)
		if (memcmp(all + i, mark, strlen(mark)) == 0)
			all[i] ^= 1;
	CHECK_INT(pwrite(fd, all, (size_t)n, 0), n, 0);
	close(fd);
}

TEST(accounts_damage)
{
	char			 folder[512], file[600];
	struct accounts		*a = fresh(folder, sizeof(folder));
	struct arena		 arena = ARENA_INIT;
	struct accounts_account	 account;
	struct accounts_row	*rows;
	struct diag		 diag = DIAG_INIT;
	size_t			 count;
	bool			 more;
	int			 damage = 0;

	edit_all(a, people, COUNT(people));
	(void)edit(a, "account-name", "alice@example.org", "ZZTOPZZ", 0, 0);
	accounts_close(&a);
	flip(folder, "ZZTOPZZ");
	CHECK_INT(accounts_open(folder, ACCOUNTS_WRITE, &a, &diag), 0, 0);
	CHECK_INT(accounts_by_login(a, S("alice@example.org"), &arena,
	    &account), -EBADMSG, 0);
	CHECK_INT(accounts_by_login(a, S("bob@example.org"), &arena,
	    &account), 0, 0);
	CHECK_INT(accounts_list(a, S("account"), SLICE_EMPTY, &arena, &rows,
	    &count, &more), 0, 0);
	CHECK_INT(count, 2, 0);
	CHECK(accounts_check(a, found_damage, &damage) > 0 && damage > 0, 0);
	accounts_close(&a);

	/* as a whole: not a database, and one that was cut off */
	(void)snprintf(file, sizeof(file), "%s/" ACCOUNTS_FILE, folder);
	CHECK_INT(truncate(file, 5000), 0, 0);
	CHECK(accounts_open(folder, ACCOUNTS_WRITE, &a, &diag) < 0 ||
	    accounts_by_login(a, S("bob@example.org"), &arena, &account) < 0,
	    0);
	accounts_close(&a);
	/* one of no length is not taken for a new one */
	CHECK_INT(truncate(file, 0), 0, 0);
	CHECK_INT(accounts_open(folder, ACCOUNTS_WRITE, &a, &diag), -EBADMSG,
	    0);
	CHECK_INT(truncate(file, 9000), 0, 0);
	CHECK(accounts_open(folder, ACCOUNTS_WRITE, &a, &diag) < 0, 0);
	arena_free(&arena);
}

/* no room on the disk: an error, nothing is lost, and it works again */
TEST(accounts_disk_full)
{
	char			 folder[512], name[64];
	struct accounts		*a = fresh(folder, sizeof(folder));
	struct arena		 arena = ARENA_INIT;
	struct accounts_edit	 e = { .verb = ACCOUNTS_ALIAS_ADD,
				    .now = NOW };
	struct accounts_edited	 done;
	struct accounts_account	 account;
	struct buf		 targets = BUF_INIT;
	struct rlimit		 before, small;
	int			 r = 0;

	edit_all(a, people, COUNT(people));
	while (targets.len < 30000)
		buf_add_text(&targets, "somebody@b.example\n");
	CHECK_INT(getrlimit(RLIMIT_FSIZE, &before), 0, 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	small = before;
	small.rlim_cur = 200000;
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &small), 0, 0);
	e.value = buf_slice(&targets);
	for (int i = 0; i < 100 && r == 0; i++) {
		(void)snprintf(name, sizeof(name), "n%d@example.org", i);
		e.name = slice_of(name);
		r = accounts_edit(a, &e, &done);
	}
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &before), 0, 0);
	CHECK_INT(r, -ENOSPC, 0);
	CHECK_INT(accounts_by_login(a, S("alice@example.org"), &arena,
	    &account), 0, 0);
	CHECK_INT(accounts_edit(a, &e, &done), 0, 0);
	accounts_close(&a);
	CHECK_INT(accounts_open(folder, ACCOUNTS_READ, &a, NULL), 0, 0);
	CHECK_INT(accounts_check(a, found_damage, &r), 0, 0);
	CHECK_INT(accounts_by_login(a, S("bob@example.org"), &arena,
	    &account), 0, 0);
	accounts_close(&a);
	buf_free(&targets);
	arena_free(&arena);
}

/* every cut and every wrong version of a record is refused */
TEST(accounts_record_strict)
{
	struct accounts_account	in = { S("0123456789abcdef"), S("a@b.c"),
				    S(HASH), ACCOUNTS_ENABLED, 1, 2, S("A"), 3,
				    4 }, out;
	struct buf		b = BUF_INIT;

	accounts_account_encode(&b, &in);
	CHECK_INT(accounts_account_decode(buf_slice(&b), &out), 0, 0);
	CHECK_SLICE(out.login, in.login, 0);
	CHECK_INT(out.password_set, 4, 0);
	for (size_t n = 0; n < b.len; n++)
		CHECK_INT(accounts_account_decode(slice_sub(buf_slice(&b), 0,
		    n), &out), -EBADMSG, n);
	buf_add_byte(&b, 0);
	CHECK_INT(accounts_account_decode(buf_slice(&b), &out), -EBADMSG, 0);
	b.data[0] = 2;
	CHECK_INT(accounts_account_decode(buf_slice(&b), &out),
	    -EPROTONOSUPPORT, 0);
	buf_free(&b);
}
