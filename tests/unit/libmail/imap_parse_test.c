/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libmail/imap_parse.h"

#define SEGMENTS_MAX 8

/* cut a script of lines and literals into segments, as a reader of commands
 * would; "\r\n" ends a line. Returns how many. */
static size_t
cut(struct slice script, struct imap_segment *segments)
{
	size_t	n = 0;

	while (n < SEGMENTS_MAX) {
		struct imap_segment *s = &segments[n++];
		size_t		end = slice_find_slice(script, S("\r\n"));
		struct imap_literal literal;

		*s = (struct imap_segment){ script, SLICE_EMPTY, false };
		if (end == SLICE_NONE)
			break;
		s->text = slice_sub(script, 0, end);
		script = slice_from(script, end + 2);
		if (imap_literal_at_end(s->text, &literal) != 1)
			break;
		s->has_literal = true;
		s->literal = slice_sub(script, 0, literal.size);
		script = slice_from(script, literal.size);
	}
	return n;
}

/* parse a script */
static int
parse(struct arena *a, const char *script, struct imap_command *cmd,
    struct imap_fault *fault)
{
	struct imap_segment *segments = ARENA_ARRAY(a, struct imap_segment,
	    SEGMENTS_MAX);

	return imap_parse(a, segments, cut(slice_of(script), segments), cmd,
	    fault);
}

TEST(imap_parse_accepts)
{
	static const struct {
		const char *in;
		enum imap_command_id id;
		bool by_uid;
	} cases[] = {
		{ "a1 NOOP", IMAP_CMD_NOOP, false },
		{ "a.1-x cApAbility", IMAP_CMD_CAPABILITY, false },
		{ "* LOGOUT", IMAP_CMD_COUNT, false },	/* "*" is no tag */
		{ "a LOGIN joe \"a b\"", IMAP_CMD_LOGIN, false },
		{ "a LOGIN {3}\r\njoe {6+}\r\nsec\"et", IMAP_CMD_LOGIN,
		    false },
		{ "a AUTHENTICATE PLAIN", IMAP_CMD_AUTHENTICATE, false },
		{ "a AUTHENTICATE PLAIN =", IMAP_CMD_AUTHENTICATE, false },
		{ "a AUTHENTICATE PLAIN AGEAYg==", IMAP_CMD_AUTHENTICATE,
		    false },
		{ "a SELECT INBOX", IMAP_CMD_SELECT, false },
		{ "a EXAMINE \"Sent Items\"", IMAP_CMD_EXAMINE, false },
		{ "a CREATE x/y/", IMAP_CMD_CREATE, false },
		{ "a CREATE x (USE (\\Sent \\Drafts))", IMAP_CMD_CREATE,
		    false },
		{ "a CREATE x (USE ())", IMAP_CMD_CREATE, false },
		{ "a RENAME x {1}\r\ny", IMAP_CMD_RENAME, false },
		{ "a LIST \"\" *", IMAP_CMD_LIST, false },
		{ "a LIST \"\" \"\"", IMAP_CMD_LIST, false },
		{ "a LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (a% \"b*\") RETURN "
		    "(CHILDREN STATUS (MESSAGES UNSEEN) SPECIAL-USE)",
		    IMAP_CMD_LIST, false },
		{ "a LIST () \"\" % RETURN ()", IMAP_CMD_LIST, false },
		{ "a LSUB #news. comp.*", IMAP_CMD_LSUB, false },
		{ "a STATUS x (MESSAGES UIDNEXT SIZE DELETED)",
		    IMAP_CMD_STATUS, false },
		{ "a NAMESPACE", IMAP_CMD_NAMESPACE, false },
		{ "a ENABLE CONDSTORE X-GOOD-IDEA", IMAP_CMD_ENABLE, false },
		{ "a ID NIL", IMAP_CMD_ID, false },
		{ "a ID (\"name\" \"x\" \"version\" NIL)", IMAP_CMD_ID, false },
		{ "a ID ()", IMAP_CMD_ID, false },
		{ "a IDLE", IMAP_CMD_IDLE, false },
		{ "a EXPUNGE", IMAP_CMD_EXPUNGE, false },
		{ "a UID EXPUNGE 3:5", IMAP_CMD_EXPUNGE, true },
		{ "a UNSELECT", IMAP_CMD_UNSELECT, false },
		{ "a FETCH 1:* FULL", IMAP_CMD_FETCH, false },
		{ "a FETCH 1 (UID FLAGS BODY.PEEK[HEADER.FIELDS (Date "
		    "{4}\r\nFrom)]<0.10> BODY[1.2.MIME] BODY[] BODY)",
		    IMAP_CMD_FETCH, false },
		{ "a uid fetch 5:* rfc822.size", IMAP_CMD_FETCH, true },
		{ "a STORE 1 +FLAGS.SILENT (\\Deleted $Junk)", IMAP_CMD_STORE,
		    false },
		{ "a STORE 1 FLAGS ()", IMAP_CMD_STORE, false },
		{ "a STORE 1 -FLAGS \\Seen Work", IMAP_CMD_STORE, false },
		{ "a UID COPY 1,3:4 x", IMAP_CMD_COPY, true },
		{ "a MOVE 2 \"x y\"", IMAP_CMD_MOVE, false },
		{ "a SEARCH ALL", IMAP_CMD_SEARCH, false },
		{ "a UID SEARCH RETURN (MIN COUNT) CHARSET UTF-8 OR (FROM "
		    "{3}\r\nJo\303 SINCE 1-Feb-2026) NOT 3,5:*",
		    IMAP_CMD_COUNT, true },	/* not UTF-8 */
		{ "a UID SEARCH RETURN (MIN COUNT) CHARSET UTF-8 OR (FROM "
		    "{3}\r\nJ\303\266 SINCE 1-Feb-2026) NOT 3,5:*",
		    IMAP_CMD_SEARCH, true },
		{ "a SEARCH RETURN () HEADER Message-ID <x> UNSEEN",
		    IMAP_CMD_SEARCH, false },
		{ "a SEARCH CHARSET KOI8-R TEXT {1}\r\n\344",
		    IMAP_CMD_SEARCH, false },
		/* refused below with their sentences */
		{ "a NOOP ", IMAP_CMD_COUNT, false },
		{ "a UID NOOP", IMAP_CMD_COUNT, false },
	};
	struct arena	a = ARENA_INIT;
	struct imap_fault fault;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct imap_command cmd;
		int want = cases[i].id == IMAP_CMD_COUNT ? -EBADMSG : 0;

		if (CHECK_INT(parse(&a, cases[i].in, &cmd, &fault), want,
		    i) == 0) {
			CHECK_INT(cmd.id, cases[i].id, i);
			CHECK_INT(cmd.by_uid, cases[i].by_uid, i);
		}
		arena_reset(&a);
	}
	arena_free(&a);
}

TEST(imap_parse_refuses_with_a_sentence)
{
	static const struct {
		const char *in;
		const char *tag;
		const char *why;
	} cases[] = {
		{ "", "", "tag: unexpected the end of the line" },
		{ "a+b NOOP", "", "tag: unexpected \"+b\"" },
		{ "a", "", "tag: unexpected the end of the line" },
		{ "a  NOOP", "a", "expected a command instead of \" NOOP\"" },
		{ "a FROB x", "a", "there is no command \"FROB\"" },
		{ "a UID NOOP", "a", "there is no command UID NOOP" },
		{ "a NOOP ", "a",
		    "NOOP: unexpected \" \" after the arguments" },
		{ "a SELECT", "a", "SELECT: a space is missing before the end "
		    "of the line" },
		{ "a SELECT \"\"", "a",
		    "SELECT: the mailbox name is empty" },
		{ "a SELECT \"x", "a",
		    "SELECT: mailbox name: the quoted string does not end" },
		{ "a SELECT \"x\\y\"", "a", "SELECT: mailbox name: only \" "
		    "and \\ may follow \\" },
		{ "a SELECT a&b", "a", "SELECT: mailbox name \"a&b\" is not "
		    "in modified UTF-7" },
		{ "a SELECT &AAc-", "a",
		    "SELECT: mailbox name has a control character" },
		{ "a FETCH 0 FLAGS", "a",
		    "FETCH: message set: numbers begin at 1" },
		{ "a FETCH 4294967296 FLAGS", "a", "FETCH: message set: "
		    "\"4294967296\" is too large" },
		{ "a FETCH 1 (FLAGS FOO)", "a",
		    "FETCH: there is no data item \"FOO\"" },
		{ "a FETCH 1 (FLAGS", "a", "FETCH: data items: expected \")\" "
		    "instead of the end of the line" },
		{ "a FETCH 1 BODY[MIME]", "a",
		    "FETCH: MIME needs a body part before it" },
		{ "a FETCH 1 BODY[1.0]", "a",
		    "FETCH: body parts are numbered from 1" },
		{ "a FETCH 1 BODY[1.]", "a",
		    "FETCH: body section: unexpected \"]\"" },
		{ "a FETCH 1 BODY[]<0.0>", "a",
		    "FETCH: partial fetch: the length is 0" },
		{ "a STORE 1 +FLAGS (\\Recent)", "a",
		    "STORE: only the server sets \\Recent" },
		{ "a STORE 1 +FLAGS (\\Foo)", "a",
		    "STORE: there is no system flag \"\\Foo\"" },
		{ "a STORE 1 +FLAG (\\Seen)", "a", "STORE: expected FLAGS or "
		    "FLAGS.SILENT before \" (\\Seen)\"" },
		{ "a SEARCH FOO", "a",
		    "SEARCH: there is no search key \"FOO\"" },
		{ "a SEARCH SINCE 31-Jun-2026", "a", "SEARCH: expected a date "
		    "like 1-Feb-2026 instead of \"31-Jun-2026\"" },
		{ "a SEARCH RETURN (FOO) ALL", "a",
		    "SEARCH: there is no return option \"FOO\"" },
		{ "a LIST (RECURSIVEMATCH) \"\" *", "a",
		    "LIST: RECURSIVEMATCH needs SUBSCRIBED" },
		{ "a STATUS x ()", "a",
		    "STATUS: STATUS items: unexpected \")\"" },
		{ "a STATUS x (FOO)", "a",
		    "STATUS: STATUS items: \"FOO\" is not known" },
		{ "a CREATE x (USE (\\Foo))", "a",
		    "CREATE: special use: \"\\Foo\" is not known" },
		{ "a APPEND x \"y\"", "a", "APPEND: the message must come as "
		    "a literal at the end of the line" },
		{ "a SELECT {3}\r\na", "a", "SELECT: mailbox name: bad "
		    "literal" },
		{ "a SELECT b{1}\r\na", "a",
		    "SELECT: unexpected \"{1}\" after the arguments" },
	};
	struct arena	a = ARENA_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct imap_command cmd;
		struct imap_fault fault;

		CHECK_INT(parse(&a, cases[i].in, &cmd, &fault), -EBADMSG, i);
		CHECK_TEXT(fault.tag, cases[i].tag, i);
		CHECK_TEXT(slice_of(fault.text), cases[i].why, i);
		arena_reset(&a);
	}
	arena_free(&a);
}

TEST(imap_parse_limits)
{
	static const struct {
		const char *head, *repeat, *tail;
		size_t count;
		int want;
	} cases[] = {
		{ "a SEARCH ", "NOT ", "ALL", IMAP_SEARCH_DEPTH_MAX - 1, 0 },
		{ "a SEARCH ", "NOT ", "ALL", IMAP_SEARCH_DEPTH_MAX, -EBADMSG },
		{ "a SEARCH ", "(", "ALL", 100000, -EBADMSG },
		{ "a SEARCH ALL", " ALL", "", IMAP_SEARCH_KEYS_MAX - 1, 0 },
		{ "a SEARCH ALL", " ALL", "", IMAP_SEARCH_KEYS_MAX, -EBADMSG },
		{ "a FETCH 1 (UID", " UID", ")", IMAP_FETCH_ITEMS_MAX - 1, 0 },
		{ "a FETCH 1 (UID", " UID", ")", IMAP_FETCH_ITEMS_MAX,
		    -EBADMSG },
		{ "a FETCH 1 BODY[1", ".1", "]", IMAP_PART_DEPTH_MAX - 1, 0 },
		{ "a FETCH 1 BODY[1", ".1", "]", IMAP_PART_DEPTH_MAX,
		    -EBADMSG },
		{ "a FETCH 1", ",1", " UID", IMAP_SEQSET_RANGES_MAX - 1, 0 },
		{ "a FETCH 1", ",1", " UID", IMAP_SEQSET_RANGES_MAX,
		    -EBADMSG },
		{ "a SEARCH SUBJECT \"", "x", "\"", IMAP_SEARCH_TEXT_MAX, 0 },
		{ "a SEARCH SUBJECT \"", "x", "\"", IMAP_SEARCH_TEXT_MAX + 1,
		    -EBADMSG },
		{ "", "t", " NOOP", IMAP_TAG_MAX, 0 },
		{ "", "t", " NOOP", IMAP_TAG_MAX + 1, -EBADMSG },
		/* every escape copies its own string only */
		{ "a ID (\"a\" \"b\"", " \"\\\\\" \"\\\"\"", ")", 29, 0 },
		{ "a ID (\"a\" \"b\"", " \"\\\\\" \"\\\"\"", ")", 30,
		    -EBADMSG },
	};
	struct arena	a = ARENA_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf	b = BUF_INIT;
		struct imap_command cmd;
		struct imap_fault fault;

		buf_add_text(&b, cases[i].head);
		for (size_t n = 0; n < cases[i].count; n++)
			buf_add_text(&b, cases[i].repeat);
		buf_add_text(&b, cases[i].tail);
		CHECK_INT(parse(&a, buf_cstr(&b), &cmd, &fault),
		    cases[i].want, i);
		CHECK(a.total < 8 * b.len + (64 << 10), i);
		arena_reset(&a);
		buf_free(&b);
	}
	arena_free(&a);
}

TEST(imap_parse_append)
{
	static const struct {
		const char *in;
		int want;
		const char *mailbox;
		uint64_t size;
		bool sync;
		uint32_t flags;
		int64_t seconds;	/* 0: no date */
		const char *why;
	} cases[] = {
		{ "a APPEND INBOX {310}", 1, "INBOX", 310, true, 0, 0, NULL },
		{ "a APPEND x {310+}", 1, "x", 310, false, 0, 0, NULL },
		{ "a APPEND x (\\Seen) {0}", 1, "x", 0, true, IMAP_FLAG_SEEN,
		    0, NULL },
		{ "a APPEND x () \" 1-Jan-1970 01:00:01 +0100\" {9}", 1, "x",
		    9, true, 0, 1, NULL },
		{ "a APPEND {3}", 0, NULL, 0, false, 0, 0, NULL },
		{ "a APPEND {3}\r\nx y \"17-Jul-1996 02:44:25 -0700\" {5}", 1,
		    "x y", 5, true, 0, 837596665, NULL },
		{ "a SELECT {3}", 0, NULL, 0, false, 0, 0, NULL },
		{ "a APPEND x y {3}", -EBADMSG, NULL, 0, false, 0, 0,
		    "APPEND: expected the message as a literal instead of "
		    "\"y\"" },
		{ "a APPEND x (\\Seen {3}", -EBADMSG, NULL, 0, false, 0, 0,
		    "APPEND: flag: unexpected \"{3}\"" },
		{ "a APPEND x ~{3}", -EBADMSG, NULL, 0, false, 0, 0,
		    "APPEND: binary literals are not supported" },
		{ "a APPEND x \"7-Jul-1996 02:44:25 -0700\" {3}", -EBADMSG,
		    NULL, 0, false, 0, 0, "APPEND: expected a date and time "
		    "like \" 1-Feb-2026 13:05:00 +0100\" instead of "
		    "\"\"7-Jul-1996\"" },
	};
	struct arena	a = ARENA_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct imap_segment segments[SEGMENTS_MAX];
		struct imap_command cmd;
		struct imap_append append;
		struct imap_fault fault;
		size_t	n = cut(slice_of(cases[i].in), segments);

		if (CHECK_INT(imap_parse_append(&a, segments, n, &cmd,
		    &append, &fault), cases[i].want, i) == 1) {
			CHECK_TEXT(append.mailbox.name, cases[i].mailbox, i);
			CHECK_INT((long long)append.literal.size,
			    (long long)cases[i].size, i);
			CHECK_INT(append.literal.sync, cases[i].sync, i);
			CHECK_INT(append.flags.system, cases[i].flags, i);
			CHECK_INT(append.has_date, cases[i].seconds != 0, i);
			if (append.has_date)
				CHECK_INT(append.date.seconds,
				    cases[i].seconds, i);
		}
		if (cases[i].why != NULL)
			CHECK_TEXT(slice_of(fault.text), cases[i].why, i);
		arena_reset(&a);
	}
	arena_free(&a);
}

TEST(imap_parse_values)
{
	struct arena	a = ARENA_INIT;
	struct imap_command c;
	struct imap_fault fault;
	struct imap_search_key *key;

	CHECK_INT(parse(&a, "a LOGIN {4}\r\njo\"e \"a\\\"b\\\\\"", &c, &fault),
	    0, 0);
	CHECK_TEXT(c.login.user, "jo\"e", 0);
	CHECK_TEXT(c.login.password, "a\"b\\", 0);

	CHECK_INT(parse(&a, "a RENAME inbox/x INBOX/", &c, &fault), 0, 1);
	CHECK_TEXT(c.mailbox.name, "INBOX/x", 1);
	CHECK_TEXT(c.rename.to.name, "INBOX", 1);

	CHECK_INT(parse(&a, "a STORE 1 -FLAGS.SILENT (Work \\seen work)", &c,
	    &fault), 0, 2);
	CHECK_INT(c.store.how, IMAP_STORE_REMOVE, 2);
	CHECK(c.store.silent, 2);
	CHECK_INT(c.store.flags.system, IMAP_FLAG_SEEN, 2);
	CHECK_INT((long long)c.store.flags.keyword_count, 1, 2);

	CHECK_INT(parse(&a, "a SEARCH OR NOT SEEN (SUBJECT x LARGER 7) 2:*",
	    &c, &fault), 0, 3);
	key = c.search.root.child;
	CHECK_INT(key->op, IMAP_SEARCH_OR, 3);
	CHECK_INT(key->child->op, IMAP_SEARCH_NOT, 3);
	CHECK_INT(key->child->child->op, IMAP_SEARCH_SEEN, 3);
	CHECK_INT(key->child->next->op, IMAP_SEARCH_AND, 3);
	CHECK_TEXT(key->child->next->child->text, "x", 3);
	CHECK_INT((long long)key->child->next->child->next->number, 7, 3);
	CHECK_INT(key->next->op, IMAP_SEARCH_SEQSET, 3);
	CHECK_INT(key->next->set.ranges[0].last, IMAP_SEQ_STAR, 3);

	CHECK_INT(parse(&a, "a LIST (SPECIAL-USE) \"\" \"&AOk-*\" RETURN "
	    "(STATUS (UNSEEN))", &c, &fault), 0, 4);
	CHECK_INT(c.list.select, IMAP_LIST_SPECIAL_USE, 4);
	CHECK_INT(c.list.want, IMAP_LIST_STATUS, 4);
	CHECK_INT(c.list.status, IMAP_STATUS_UNSEEN, 4);
	CHECK_TEXT(c.list.patterns[0], "\303\251*", 4);

	CHECK_INT(parse(&a, "a ID (\"name\" \"Mutt\" \"os\" NIL)", &c,
	    &fault), 0, 5);
	CHECK_INT((long long)c.client.count, 2, 5);
	CHECK_TEXT(c.client.pairs[0].value, "Mutt", 5);
	CHECK(c.client.pairs[1].value.data == NULL, 5);
	arena_free(&a);
}

TEST(imap_literal_at_end)
{
	static const struct {
		const char *line;
		int want;
		uint64_t size;
		bool sync, binary;
	} cases[] = {
		{ "a NOOP", 0, 0, false, false },
		{ "a {12}", 1, 12, true, false },
		{ "a {12+}", 1, 12, false, false },
		{ "a ~{12}", 1, 12, true, true },
		{ "a {0}", 1, 0, true, false },
		{ "a {}", 0, 0, false, false },
		{ "a {x}", 0, 0, false, false },
		{ "a {1}x", 0, 0, false, false },
		{ "a \"{1}\"", 0, 0, false, false },
		{ "a {99999999999999999999+}", -ERANGE, 0, false, false },
		{ "{5}", 1, 5, true, false },
		{ "}", 0, 0, false, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct imap_literal l;

		if (CHECK_INT(imap_literal_at_end(slice_of(cases[i].line), &l),
		    cases[i].want, i) != 1)
			continue;
		CHECK_INT((long long)l.size, (long long)cases[i].size, i);
		CHECK_INT(l.sync, cases[i].sync, i);
		CHECK_INT(l.binary, cases[i].binary, i);
	}
}

TEST(imap_format_fetch_item)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "BODY[]", "BODY[]" },
		{ "BODY.PEEK[HEADER]", "BODY[HEADER]" },
		{ "body[1.2.mime]<5.20>", "BODY[1.2.MIME]<5>" },
		{ "BODY[3.HEADER.FIELDS.NOT (a {3}\r\nb\"c)]",
		    "BODY[3.HEADER.FIELDS.NOT (a \"b\\\"c\")]" },
		{ "RFC822.TEXT", "RFC822.TEXT" },
	};
	struct arena	a = ARENA_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf	in = BUF_INIT, out = BUF_INIT;
		struct imap_command c;
		struct imap_fault fault;

		buf_addf(&in, "a FETCH 1 %s", cases[i].in);
		if (CHECK_INT(parse(&a, buf_cstr(&in), &c, &fault), 0, i) == 0)
			imap_format_fetch_item(&out, &c.fetch.items[0]);
		CHECK_TEXT(buf_slice(&out), cases[i].want, i);
		buf_free(&in);
		buf_free(&out);
	}
	arena_free(&a);
}
