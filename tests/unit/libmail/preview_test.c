/* SPDX-License-Identifier: ISC */
#include "libmail/preview.h"

#include "libmail/preview_html.h"
#include "libmail/scan.h"
#include "libutil/utf8.h"

#include "test.h"

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n"

static void
preview(struct slice content, struct buf *out)
{
	struct scan	*s = scan_new(NULL);

	scan_feed(s, content);
	preview_make(out, content, scan_finish(s));
	scan_free(&s);
}

TEST(preview_make)
{
	static const struct { const char *in, *want; } rows[] = {
		{ "", "" },
		{ "A: b\r\n\r\n  Hello,\r\n\r\n\tworld. \r\n", "Hello, world." },
		{ "A: b\r\n\r\n> quoted\r\nnew\r\n> more\r\n-- \r\nme\r\n",
		  "new" },
		{ "A: b\r\n\r\n> only\r\n> quoted\r\n", "> only > quoted" },
		{ "Content-Type: text/plain; charset=iso-8859-1\r\n"
		  "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
		  "Gr=FC=\r\n=DFe\r\n", "Gr\xc3\xbc\xc3\x9f" "e" },
		{ "Content-Type: text/plain; charset=\"utf-8\"\r\n"
		  "Content-Transfer-Encoding: base64\r\n\r\nw6Q=\r\n",
		  "\xc3\xa4" },
		{ "Content-Type: text/plain; charset=koi8-r\r\n\r\nabc", "" },
		{ "Content-Transfer-Encoding: x-uu\r\n\r\nabc", "" },
		{ "Content-Type: image/png\r\n\r\nabc", "" },
		{ "Content-Type: text/html\r\n\r\n<html><head><title>t</title>"
		  "<style>p { x: y }</style></head><body><!-- <p>no</p> -->\r\n"
		  "<p class=\"a>b\">One</p><p>t<b>w</b>o &amp; thr&#101;e "
		  "&lt;x&gt; 1 < 2 &unknown; &nbsp; end</p>",
		  "One two & three <x> 1 < 2 &unknown; end" },
		/* the first plain part; else HTML; never an attachment */
		{ MIXED "--b\r\nContent-Type: text/html\r\n\r\n<p>html</p>\r\n"
		  "--b\r\n\r\nplain\r\n--b--\r\n", "plain" },
		{ MIXED "--b\r\n\r\n \r\n--b\r\n\r\nsecond\r\n--b--\r\n",
		  "second" },
		{ MIXED "--b\r\nContent-Type: text/html\r\n\r\n<p>html</p>\r\n"
		  "--b\r\nContent-Disposition: attachment\r\n\r\nfile\r\n"
		  "--b--\r\n", "html" },
		{ MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\nA: b\r\n\r\n"
		  "inner\r\n--b\r\n\r\nouter\r\n--b--\r\n", "outer" },
		{ "Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\ninner\r\n",
		  "inner" },
		/* nothing but what is not seen between words */
		{ "A: b\r\n\r\na\xe2\x80\x8b\xef\xbb\xbf b\xc2\xa0\xc2\xa0" "c",
		  "a b c" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf	out = BUF_INIT;

		preview(slice_of(rows[i].in), &out);
		CHECK_TEXT(buf_slice(&out), rows[i].want, i);
		buf_free(&out);
	}
}

/* never too long, never half a character */
TEST(preview_limit)
{
	for (size_t pad = 0; pad < 4; pad++) {
		struct buf	in = BUF_INIT, out = BUF_INIT;

		buf_add_text(&in, "A: b\r\n\r\n");
		for (size_t i = 0; i < pad; i++)
			buf_add_byte(&in, 'x');
		for (size_t i = 0; i < 10000; i++)
			buf_add_text(&in, "\xe2\x82\xac");
		preview(buf_slice(&in), &out);
		CHECK(out.len <= PREVIEW_MAX && out.len > PREVIEW_MAX - 4, pad);
		CHECK(utf8_is_valid(buf_slice(&out)), pad);
		buf_free(&in);
		buf_free(&out);
	}
}

/* pages made to be slow or never to end */
TEST(preview_html_hostile)
{
	static const char *const parts[] = { "<", "<a", "<!--", "<style>",
		"</", "&", "&#", "<p \"", "<head><", "&amp;", "<script></" };

	for (size_t i = 0; i < COUNT(parts); i++) {
		struct buf	in = BUF_INIT, out = BUF_INIT;

		while (in.len < 1 << 20)
			buf_add_text(&in, parts[i]);
		preview_html(&out, buf_slice(&in), 8192);
		CHECK(out.len <= in.len, i);
		buf_free(&in);
		buf_free(&out);
	}
}
