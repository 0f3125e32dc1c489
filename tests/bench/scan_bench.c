/* SPDX-License-Identifier: ISC */
/*
 * scan_bench: how fast content is decoded from DATA and scanned, in MB/s of
 * one core, in chunks of 64 KiB. With files as arguments these are scanned;
 * else made-up content: plain text, short lines, base64 in a multipart, UTF-8
 * text, and many small messages.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "libmail/scan.h"
#include "libmail/scan_data.h"
#include "libutil/buf.h"

#define CHUNK	((size_t)64 << 10)
#define ENOUGH	((size_t)1 << 30)

/* seconds - the processor time of this process */
static double
seconds(void)
{
	struct timespec	t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* decode - run all of it through DATA; gives the bytes that came out */
static size_t
decode(struct slice in)
{
	struct smtp_data	d;
	struct slice		piece;
	size_t			n = 0;

	smtp_data_init(&d, SMTP_DATA_DOTS);
	for (; in.len > 0; in = slice_from(in, CHUNK)) {
		struct cursor	c = cursor_over(slice_sub(in, 0, CHUNK));

		while (smtp_data_next(&d, &c, &piece))
			n += piece.len;
	}
	return n;
}

/* scan - run all of it through the scan, and encode the facts */
static size_t
scan(struct scan *s, struct slice in, struct buf *out)
{
	buf_reset(out);
	scan_reset(s);
	for (; in.len > 0; in = slice_from(in, CHUNK))
		scan_feed(s, slice_sub(in, 0, CHUNK));
	facts_format(out, scan_finish(s));
	return out->len;
}

/* measure - both, until it was enough */
static void
measure(const char *name, struct slice in)
{
	struct scan	*s = scan_new(NULL);
	struct buf	 out = BUF_INIT;
	size_t		 rounds = ENOUGH / in.len + 1, sum = 0;
	double		 start, data_time, scan_time, all;

	start = seconds();
	for (size_t i = 0; i < rounds; i++)
		sum += decode(in);
	data_time = seconds() - start;
	start = seconds();
	for (size_t i = 0; i < rounds; i++)
		sum += scan(s, in, &out);
	scan_time = seconds() - start;
	all = (double)rounds * (double)in.len / 1e6;
	printf("%-28s %9zu bytes  data %7.0f MB/s  scan %7.0f MB/s  "
	    "%6.2f us a message  facts %zu bytes\n", name, in.len,
	    all / data_time, all / scan_time,
	    scan_time / (double)rounds * 1e6, out.len);
	if (sum == 0)
		abort();
	buf_free(&out);
	scan_free(&s);
}

#define HEADER \
	"Received: from mx.example (mx.example [192.0.2.1])\r\n" \
	"\tby here.example (Barid) with ESMTPS id 0123456789;\r\n" \
	"\tTue, 3 Feb 2026 04:05:06 +0000\r\n" \
	"From: Some One <someone@example.org>\r\nTo: Other <o@example.com>\r\n" \
	"Subject: about this and that\r\nDate: Tue, 3 Feb 2026 04:05:06 +0000\r\n" \
	"Message-ID: <0123456789abcdef@example.org>\r\nMIME-Version: 1.0\r\n"

/* made_up - content of about this size with that header and line */
static void
made_up(const char *name, const char *head, const char *line, const char *tail,
    size_t size)
{
	struct buf	b = BUF_INIT;

	buf_add_text(&b, HEADER);
	buf_add_text(&b, head);
	while (b.len < size)
		buf_add_text(&b, line);
	buf_add_text(&b, tail);
	measure(name, buf_slice(&b));
	buf_free(&b);
}

/* from_file - measure one file */
static int
from_file(const char *name)
{
	struct buf	b = BUF_INIT;
	FILE		*f = fopen(name, "rb");
	char		*room;
	size_t		 n;

	if (f == NULL) {
		perror(name);
		return 1;
	}
	while ((room = buf_room(&b, CHUNK)) != NULL &&
	    (n = fread(room, 1, CHUNK, f)) > 0)
		buf_grown(&b, n);
	fclose(f);
	if (b.len > 0)
		measure(name, buf_slice(&b));
	buf_free(&b);
	return 0;
}

int
main(int argc, char **argv)
{
	static const char plain[] = "\r\n";
	static const char mixed[] =
	    "Content-Type: multipart/mixed; boundary=\"=_b0\"\r\n\r\n--=_b0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n\r\nSee this.\r\n"
	    "--=_b0\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\n";
	static const char text[] = "It was the best of lines, it was the worst "
	    "of lines, all of them this long.\r\n";
	static const char base64[] = "JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvT"
	    "GVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0ZUR\r\n";
	int		r = 0;

	for (int i = 1; i < argc; i++)
		r |= from_file(argv[i]);
	if (argc > 1)
		return r;
	made_up("text, 16 MiB", plain, text, "", (size_t)16 << 20);
	made_up("short lines, 1 MiB", plain, "short line\r\n", "",
	    (size_t)1 << 20);
	made_up("UTF-8 text, 1 MiB", plain, "Gr\xc3\xbc\xc3\x9f" "e aus M\xc3"
	    "\xbcnchen, das ist eine Zeile mit Umlauten darin.\r\n", "",
	    (size_t)1 << 20);
	made_up("base64 attachment, 8 MiB", mixed, base64, "--=_b0--\r\n",
	    (size_t)8 << 20);
	made_up("text, 4 KiB", plain, text, "", 4096);
	made_up("multipart, 4 KiB", mixed, base64, "--=_b0--\r\n", 4096);
	return 0;
}
