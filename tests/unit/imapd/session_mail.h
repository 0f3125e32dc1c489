/* SPDX-License-Identifier: ISC */
/*
 * session_mail: the mail that the scripts of a session find in INBOX.
 */
#ifndef SESSION_MAIL_H
#define SESSION_MAIL_H

#include "session_script.h"

#define PLAIN \
	"From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\r\n" \
	"To: a@x.org, B <b@x.org>\r\n" \
	"Subject: Hello\r\n" \
	"Date: Sun, 1 Feb 2026 10:00:00 +0100\r\n" \
	"Message-ID: <1@example.org>\r\n" \
	"\r\n" \
	"one line\r\n"

#define MIXED \
	"From: c@example.org\r\n" \
	"Subject: parts\r\n" \
	"Content-Type: multipart/mixed; boundary=b\r\n" \
	"\r\n" \
	"--b\r\n" \
	"Content-Type: text/plain; charset=utf-8\r\n" \
	"Content-Transfer-Encoding: base64\r\n" \
	"\r\n" \
	"R3LDvMOfZSBhdXMgS8O2bG4=\r\n" \
	"--b\r\n" \
	"Content-Type: message/rfc822\r\n" \
	"\r\n" \
	"Subject: inner\r\n" \
	"\r\n" \
	"deep\r\n" \
	"--b--\r\n"

static const char *const inbox[] = { PLAIN, MIXED, PLAIN };

#define RUN(script) \
	script_run(script, inbox, COUNT(inbox), (struct script_options){ 0 })
#define RUN_WITH(script, ...) \
	script_run(script, inbox, COUNT(inbox), \
	    (struct script_options){ __VA_ARGS__ })

#endif
