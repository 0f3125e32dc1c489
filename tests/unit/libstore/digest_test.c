/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libmail/scan.h"
#include "libstore/digest.h"

/* the facts of a content */
static void
digest_of(const char *content, struct arena *a, struct email_facts *ret)
{
	struct scan	*scan = scan_new(NULL);

	scan_feed(scan, slice_of(content));
	digest_make(slice_of(content), scan_finish(scan), a, ret);
	scan_free(&scan);
}

TEST(digest_facts)
{
	static const struct {
		const char *content;
		const char *subject, *from, *message_id, *in_reply_to;
		size_t references;
		int64_t sent_date;
		bool has_attachment;
	} cases[] = {
		{ "Subject: Re: Hello\r\nFrom: Joe <Joe@x.org>\r\n"
		    "Date: Sun, 1 Feb 2026 10:00:00 +0100\r\n"
		    "Message-ID: <1@x.org>\r\nIn-Reply-To: <0@x.org>\r\n"
		    "References: <a@x.org> <0@x.org>\r\n\r\nhi\r\n",
		    "HELLO", "JOE", "1@x.org", "0@x.org", 2, 1769936400,
		    false },
		{ "", "", "", "", "", 0, 0, false },
		{ "no header at all", "", "", "", "", 0, 0, false },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
		    "--b\r\n\r\ntext\r\n"
		    "--b\r\nContent-Type: application/pdf\r\n\r\nx\r\n"
		    "--b--\r\n", "", "", "", "", 0, 0, true },
		{ "Content-Type: multipart/related; boundary=b\r\n\r\n"
		    "--b\r\nContent-Type: text/html\r\n\r\ntext\r\n"
		    "--b\r\nContent-Type: image/png\r\nContent-ID: <i>\r\n"
		    "\r\nx\r\n--b--\r\n", "", "", "", "", 0, 0, false },
		{ "Content-Type: text/plain\r\n"
		    "Content-Disposition: attachment\r\n\r\nx", "", "", "",
		    "", 0, 0, true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arena	a = ARENA_INIT;
		struct email_facts f;
		struct digest	d;

		digest_of(cases[i].content, &a, &f);
		CHECK(slice_equal_nocase(f.subject,
		    slice_of(cases[i].subject)), i);
		CHECK(slice_equal_nocase(f.from, slice_of(cases[i].from)), i);
		CHECK_TEXT(f.message_id, cases[i].message_id, i);
		CHECK_TEXT(f.in_reply_to, cases[i].in_reply_to, i);
		CHECK_INT((long long)f.reference_count,
		    (long long)cases[i].references, i);
		CHECK_INT(f.sent_date, cases[i].sent_date, i);
		CHECK(f.has_attachment == cases[i].has_attachment, i);
		CHECK_INT(digest_parse(f.cache_version, f.cache, &d), 0, i);
		CHECK_INT((long long)d.content_length,
		    (long long)strlen(cases[i].content), i);
		arena_free(&a);
	}
}

TEST(digest_reads_back)
{
	struct arena	a = ARENA_INIT;
	struct email_facts f;
	struct digest	d;
	struct envelope	e;
	struct structure st;

	digest_of("Subject: s\r\nTo: a@x.org\r\n\r\nsome words\r\n", &a, &f);
	CHECK_INT(digest_parse(f.cache_version, f.cache, &d), 0, 0);
	CHECK_INT(envelope_parse(d.envelope, &a, &e), 0, 0);
	CHECK_TEXT(e.subject, "s", 0);
	CHECK_INT((long long)e.list[ENVELOPE_TO].count, 1, 0);
	CHECK_INT(structure_parse(d.structure, d.content_length, &a, &st), 0,
	    0);
	CHECK_INT(st.facts.part_count, 1, 0);
	CHECK_TEXT(d.preview, "some words", 0);
	arena_free(&a);
}

TEST(digest_parse_refuses)
{
	struct arena	a = ARENA_INIT;
	struct email_facts f;
	struct digest	d;

	digest_of("Subject: s\r\n\r\n", &a, &f);
	CHECK_INT(digest_parse(DIGEST_VERSION + 1, f.cache, &d), -EBADMSG, 0);
	CHECK_INT(digest_parse(0, SLICE_EMPTY, &d), -EBADMSG, 0);
	for (size_t n = 0; n < 16; n++)
		CHECK_INT(digest_parse(DIGEST_VERSION,
		    slice_sub(f.cache, 0, n), &d), -EBADMSG, n);
	arena_free(&a);
}

TEST(digest_too_large_to_keep)
{
	struct buf	b = BUF_INIT;
	struct scan	*scan = scan_new(NULL);
	struct arena	a = ARENA_INIT;
	struct email_facts f;
	struct digest	d;
	const struct facts *facts;

	/* two thousand parts with long names: more than the store keeps */
	buf_add_text(&b, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (size_t i = 0; i < 2000; i++) {
		buf_addf(&b, "--b\r\nContent-Type: a/b; name=\"%0200zu\"\r\n"
		    "\r\n\r\n", i);
	}
	buf_add_text(&b, "--b--\r\n");
	scan_feed(scan, buf_slice(&b));
	facts = scan_finish(scan);
	digest_make(buf_slice(&b), facts, &a, &f);
	CHECK_INT((long long)f.cache.len, 0, 0);
	CHECK_INT(f.cache_version, 0, 0);
	CHECK_INT(digest_parse(DIGEST_VERSION,
	    digest_cache(buf_slice(&b), facts, &a), &d), 0, 0);
	scan_free(&scan);
	arena_free(&a);
	buf_free(&b);
}
