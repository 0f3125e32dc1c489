/* SPDX-License-Identifier: ISC */
#include "libmail/received.h"
#include "libutil/buf.h"
#include "test.h"

#define DATE "Thu, 1 Jan 2026 01:00:00 +0100"
#define LONG "a-very-long-host-name-that-fills-most-of-a-line-alone.example.org"

TEST(received_format)
{
	static const struct { struct received r; const char *want; } cases[] = {
		{ { .helo = S_INIT("client.example"),
		    .client_name = S_INIT("client.example"),
		    .client_address = S_INIT("192.0.2.1"),
		    .host = S_INIT("mx.example.org"), .software = S_INIT("Barid"),
		    .protocol = RECEIVED_ESMTP, .queue_id = S_INIT("4cB1yN0bbcz5") },
		    "Received: from client.example (client.example [192.0.2.1])\r\n"
		    "\tby mx.example.org (Barid) with ESMTP id 4cB1yN0bbcz5;"
		    "\r\n\t" DATE "\r\n" },
		{ { .helo = S_INIT("[192.0.2.1]"),
		    .client_address = S_INIT("2001:db8::1"),
		    .tls = S_INIT("using TLSv1.3 with cipher "
		    "TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519"),
		    .login = S_INIT("ann"), .host = S_INIT("mx.example.org"),
		    .software = S_INIT("Barid"),
		    .protocol = RECEIVED_ESMTP | RECEIVED_TLS | RECEIVED_AUTH,
		    .queue_id = S_INIT("4cB1yN0bbcz5"),
		    .recipient = S_INIT("bob@example.org") },
		    "Received: from [192.0.2.1] (unknown [IPv6:2001:db8::1])\r\n"
		    "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 "
		    "(256/256 bits) key-exchange\r\n\tX25519)\r\n"
		    "\t(Authenticated sender: ann)\r\n"
		    "\tby mx.example.org (Barid) with ESMTPSA id 4cB1yN0bbcz5\r\n"
		    "\tfor <bob@example.org>; " DATE "\r\n" },
		{ { .host = S_INIT("mx.example.org"), .software = S_INIT("Barid"),
		    .submitter = S_INIT("userid 1000"),
		    .queue_id = S_INIT("4cB1yN0bbcz5") },
		    "Received: by mx.example.org (Barid, from userid 1000) id "
		    "4cB1yN0bbcz5;\r\n\t" DATE "\r\n" },
		/* what a client says stays in its place */
		{ { .helo = S_INIT("x) by evil\r\nTo: you; \\"),
		    .client_name = S_INIT("n(me"),
		    .client_address = S_INIT("192.0.2.1"),
		    .tls = S_INIT("a) b"), .host = S_INIT("h"),
		    .queue_id = S_INIT("4cB1yN0bbcz5"),
		    .recipient = S_INIT("a>b@example.org") },
		    "Received: from x??by?evil??To:?you??? (n?me [192.0.2.1])\r\n"
		    "\tby h with SMTP id 4cB1yN0bbcz5; " DATE "\r\n" },
		{ { .helo = S_INIT("\xc3\xb6.example"),
		    .client_address = S_INIT("192.0.2.1"), .host = S_INIT("h"),
		    .queue_id = S_INIT("4cB1yN0bbcz5"),
		    .recipient = S_INIT("\xc3\xb6@example.org") },
		    "Received: from ??.example (unknown [192.0.2.1])\r\n"
		    "\tby h with SMTP id 4cB1yN0bbcz5; " DATE "\r\n" },
		{ { .helo = S_INIT("\xc3\xb6.example"),
		    .client_address = S_INIT("192.0.2.1"), .host = S_INIT("h"),
		    .queue_id = S_INIT("4cB1yN0bbcz5"),
		    .protocol = RECEIVED_ESMTP | RECEIVED_UTF8,
		    .recipient = S_INIT("\xc3\xb6@example.org") },
		    "Received: from \xc3\xb6.example (unknown [192.0.2.1])\r\n"
		    "\tby h with UTF8SMTP id 4cB1yN0bbcz5\r\n"
		    "\tfor <\xc3\xb6@example.org>; " DATE "\r\n" },
		{ { .helo = S_INIT(LONG), .client_name = S_INIT(LONG),
		    .client_address = S_INIT("192.0.2.1"), .host = S_INIT(LONG),
		    .software = S_INIT("Barid"), .protocol = RECEIVED_LMTP,
		    .queue_id = S_INIT("4cB1yN0bbcz5") },
		    "Received: from\r\n\t" LONG "\r\n\t(" LONG " [192.0.2.1])\r\n"
		    "\tby " LONG " (Barid)\r\n"
		    "\twith LMTP id 4cB1yN0bbcz5; " DATE "\r\n" },
	};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct received r = cases[i].r;

		r.time = 1767225600;
		r.zone = 60;
		buf_reset(&b);
		received_format(&b, &r);
		CHECK_TEXT(buf_slice(&b), cases[i].want, i);
	}
	buf_free(&b);
}

TEST(received_protocol)
{
	CHECK_TEXT(received_protocol(0), "SMTP", 0);
	CHECK_TEXT(received_protocol(RECEIVED_LMTP | RECEIVED_TLS), "LMTPS", 1);
	CHECK_TEXT(received_protocol(RECEIVED_UTF8 | RECEIVED_ESMTP |
	    RECEIVED_TLS | RECEIVED_AUTH), "UTF8SMTPSA", 2);
	CHECK_TEXT(received_protocol(RECEIVED_UTF8 | RECEIVED_LMTP), "UTF8LMTP", 3);
}
