/* SPDX-License-Identifier: ISC */
#include "session_mail.h"

TEST(session_any_state)
{
	RUN_WITH("S^ l1 OK [CAPABILITY IMAP4rev1 LITERAL+ ID\n"
	    "C: a1 CAPABILITY\n"
	    "S^ * CAPABILITY IMAP4rev1\n"
	    "S: a1 OK CAPABILITY completed\n"
	    "C: a2 ID (\"name\" \"test\")\n"
	    "S: * ID (\"name\" \"Barid\")\n"
	    "S: a2 OK ID completed\n"
	    "C: a3 ENABLE CONDSTORE\n"
	    "S: * ENABLED\n"
	    "S: a3 OK ENABLE completed\n"
	    "C: a4 NAMESPACE\n"
	    "S: * NAMESPACE ((\"\" \"/\")) NIL NIL\n"
	    "S: a4 OK NAMESPACE completed\n"
	    "C: a5 LOGIN a b\n"
	    "S: a5 BAD You are authenticated already\n"
	    "C: a6 FETCH 1 UID\n"
	    "S: a6 BAD No mailbox is selected\n"
	    "C: a7 FROB\n"
	    "S: a7 BAD there is no command \"FROB\"\n"
	    "C: a8 LOGOUT\n"
	    "S: * BYE Logging out\n"
	    "S: a8 OK LOGOUT completed\n"
	    "E:\n", .tag = "l1");
}

TEST(session_select)
{
	RUN("C: a1 SELECT inbox\n"
	    "S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\n"
	    "S: * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen "
	    "\\Draft \\*)] Flags can be set for good\n"
	    "S: * 3 EXISTS\n"
	    "S: * 3 RECENT\n"
	    "S: * OK [UNSEEN 1] The first unseen message\n"
	    "S^ * OK [UIDVALIDITY \n"
	    "S: * OK [UIDNEXT 4] The next UID\n"
	    "S: a1 OK [READ-WRITE] SELECT completed\n"
	    "C: a2 EXAMINE INBOX\n"
	    "S. * 3 EXISTS\n"
	    "S: * 0 RECENT\n"
	    "S. a2 OK [READ-ONLY] EXAMINE completed\n"
	    "C: a3 STORE 1 +FLAGS (\\Seen)\n"
	    "S: a3 NO [READ-ONLY] The mailbox is read-only\n"
	    "C: a4 SELECT nowhere\n"
	    "S: a4 NO [NONEXISTENT] There is no such mailbox\n"
	    "C: a5 NOOP\n"
	    "S: a5 OK NOOP completed\n"
	    "C: a6 FETCH 1 UID\n"
	    "S: a6 BAD No mailbox is selected\n"
	    "C: a7 SELECT Drafts\n"
	    "S. * 0 EXISTS\n"
	    "S. a7 OK\n"
	    "C: a8 UNSELECT\n"
	    "S: a8 OK UNSELECT completed\n");
}

TEST(session_fetch)
{
	RUN("C: a1 SELECT INBOX\n"
	    "S. a1 OK\n"
	    "C: a2 FETCH 1:2 (UID FLAGS RFC822.SIZE INTERNALDATE)\n"
	    "S: * 1 FETCH (UID 1 FLAGS (\\Recent) RFC822.SIZE 194 "
	    "INTERNALDATE \" 1-Feb-2026 12:00:00 +0000\")\n"
	    "S^ * 2 FETCH (UID 2 FLAGS (\\Recent) RFC822.SIZE 283 \n"
	    "S: a2 OK FETCH completed\n"
	    "C: a3 UID FETCH 3:* ENVELOPE\n"
	    "S: * 3 FETCH (UID 3 ENVELOPE (\"Sun, 1 Feb 2026 10:00:00 "
	    "+0100\" \"Hello\" ((\"=?utf-8?q?J=C3=B6rg?=\" NIL \"joerg\" "
	    "\"example.org\")) ((\"=?utf-8?q?J=C3=B6rg?=\" NIL \"joerg\" "
	    "\"example.org\")) ((\"=?utf-8?q?J=C3=B6rg?=\" NIL \"joerg\" "
	    "\"example.org\")) ((NIL NIL \"a\" \"x.org\")(\"B\" NIL \"b\" "
	    "\"x.org\")) NIL NIL NIL \"<1@example.org>\"))\n"
	    "S: a3 OK UID FETCH completed\n"
	    "C: a4 FETCH 1 BODY.PEEK[TEXT]\n"
	    "S: * 1 FETCH (BODY[TEXT] {10}\n"
	    "S: one line\n"
	    "S: )\n"
	    "S: a4 OK FETCH completed\n"
	    "C: a5 FETCH 1 (BODY[HEADER.FIELDS (Subject Return-Path)])\n"
	    "S: * 1 FETCH (BODY[HEADER.FIELDS (Subject Return-Path)] {42}\n"
	    "S: Return-Path: <p@x.org>\n"
	    "S: Subject: Hello\n"
	    "S: \n"
	    "S:  FLAGS (\\Seen \\Recent))\n"
	    "S: a5 OK FETCH completed\n"
	    "C: a6 FETCH 2 (BODY.PEEK[1] BODY.PEEK[2.HEADER] "
	    "BODY.PEEK[2.TEXT] BODY.PEEK[3] BODY.PEEK[]<0.12> "
	    "BODY.PEEK[1]<4.3> BODY.PEEK[1]<99.3>)\n"
	    "S: * 2 FETCH (BODY[1] {24}\n"
	    "S: R3LDvMOfZSBhdXMgS8O2bG4= BODY[2.HEADER] {18}\n"
	    "S: Subject: inner\n"
	    "S: \n"
	    "S:  BODY[2.TEXT] {4}\n"
	    "S: deep BODY[3] NIL BODY[]<0> {12}\n"
	    "S: Return-Path: BODY[1]<4> {3}\n"
	    "S: vMO BODY[1]<99> {0}\n"
	    "S: )\n"
	    "S: a6 OK FETCH completed\n"
	    "C: a7 FETCH 2 BODY\n"
	    "S: * 2 FETCH (BODY ((\"text\" \"plain\" (\"charset\" \"utf-8\") "
	    "NIL NIL \"base64\" 24 0)(\"message\" \"rfc822\" NIL NIL NIL "
	    "\"7bit\" 22 (NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) "
	    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" "
	    "4 0) 2) \"mixed\"))\n"
	    "S: a7 OK FETCH completed\n"
	    "C: a8 FETCH 4 FLAGS\n"
	    "S: a8 BAD There is no message 4: the mailbox has 3\n"
	    "C: a9 UID FETCH 4:9 FLAGS\n"
	    "S: a9 OK UID FETCH completed\n"
	    "C: b1 FETCH 3 RFC822\n"
	    "S: * 3 FETCH (RFC822 {194}\n"
	    "S. one line\n"
	    "S:  FLAGS (\\Seen \\Recent))\n"
	    "S: b1 OK FETCH completed\n"
	    "C: b2 FETCH 1:3 (FLAGS BODY[2.MIME])\n"
	    "S. b2 OK FETCH completed\n"
	    "C: b3 FETCH 1:3 FLAGS\n"
	    "S: * 1 FETCH (FLAGS (\\Seen \\Recent))\n"
	    "S: * 2 FETCH (FLAGS (\\Seen \\Recent))\n"
	    "S: * 3 FETCH (FLAGS (\\Seen \\Recent))\n"
	    "S: b3 OK FETCH completed\n");
}

TEST(session_fetch_large)
{
	RUN("D: INBOX 1000000\n"
	    "C: a1 SELECT INBOX\n"
	    "S. a1 OK\n"
	    "C: a2 FETCH 4 BODY.PEEK[TEXT]<500000.22>\n"
	    "S: * 4 FETCH (BODY[TEXT]<500000> {22}\n"
	    "S: 12345678\n"
	    "S: 12345678\n"
	    "S: 12)\n"
	    "S: a2 OK FETCH completed\n"
	    "C: a3 FETCH 4 BODY.PEEK[]\n"
	    "S^ * 4 FETCH (BODY[] {1000\n"
	    "S. )\n"
	    "S: a3 OK FETCH completed\n");
}

TEST(session_store_and_expunge)
{
	RUN("C: a1 SELECT INBOX\n"
	    "S. a1 OK\n"
	    "C: a2 STORE 1:2 +FLAGS (\\Deleted $Work)\n"
	    "S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work)\n"
	    "S^ * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen "
	    "\\Draft $Work \\*)]\n"
	    "S: * 1 FETCH (FLAGS (\\Deleted $Work \\Recent))\n"
	    "S: * 2 FETCH (FLAGS (\\Deleted $Work \\Recent))\n"
	    "S: a2 OK STORE completed\n"
	    "C: a3 STORE 2 -FLAGS.SILENT (\\Deleted)\n"
	    "S: a3 OK STORE completed\n"
	    "C: a4 UID STORE 2 FLAGS (\\Seen)\n"
	    "S: * 2 FETCH (UID 2 FLAGS (\\Seen \\Recent))\n"
	    "S: a4 OK UID STORE completed\n"
	    "C: a5 UID EXPUNGE 2:9\n"
	    "S: a5 OK UID EXPUNGE completed\n"
	    "C: a6 STORE 3 +FLAGS.SILENT \\Deleted\n"
	    "S: a6 OK STORE completed\n"
	    "C: a7 EXPUNGE\n"
	    "S: * 1 EXPUNGE\n"
	    "S: * 2 EXPUNGE\n"
	    "S: * 1 RECENT\n"
	    "S: a7 OK EXPUNGE completed\n"
	    "C: a8 FETCH 1:* UID\n"
	    "S: * 1 FETCH (UID 2)\n"
	    "S: a8 OK FETCH completed\n"
	    "C: a9 STORE 1 +FLAGS.SILENT (\\Deleted)\n"
	    "S: a9 OK STORE completed\n"
	    "C: b1 CLOSE\n"
	    "S: b1 OK CLOSE completed\n"
	    "C: b2 STATUS INBOX (MESSAGES UIDNEXT UNSEEN RECENT)\n"
	    "S: * STATUS INBOX (MESSAGES 0 RECENT 0 UIDNEXT 4 UNSEEN 0)\n"
	    "S: b2 OK STATUS completed\n"
	    "C: b3 SELECT INBOX\n"
	    "S. b3 OK\n"
	    "C: b4 FETCH 1:* UID\n"
	    "S: b4 BAD There is no message 1: the mailbox has 0\n"
	    "C: b5 UID FETCH 1:* UID\n"
	    "S: b5 OK UID FETCH completed\n");
}

TEST(session_changes_of_others)
{
	RUN("C: a1 SELECT INBOX\n"
	    "S. a1 OK\n"
	    "F: 2\n"
	    "X: 1\n"
	    "D: INBOX 100\n"
	    "C: a2 FETCH 3 UID\n"
	    "S: * 3 FETCH (UID 3)\n"
	    "S: * 4 EXISTS\n"
	    "S: * 4 RECENT\n"
	    "S: * 2 FETCH (UID 2 FLAGS (\\Flagged \\Recent))\n"
	    "S: a2 OK FETCH completed\n"
	    "C: a3 FETCH 1:2 UID\n"
	    "S: * 2 FETCH (UID 2)\n"
	    "S: a3 NO [EXPUNGEISSUED] Some messages were deleted meanwhile\n"
	    "C: a4 NOOP\n"
	    "S: * 1 EXPUNGE\n"
	    "S: * 3 RECENT\n"
	    "S: a4 OK NOOP completed\n"
	    "C: a5 FETCH 1:* UID\n"
	    "S: * 1 FETCH (UID 2)\n"
	    "S: * 2 FETCH (UID 3)\n"
	    "S: * 3 FETCH (UID 4)\n"
	    "S: a5 OK FETCH completed\n");
}

TEST(session_copy_and_move)
{
	RUN("C: a1 SELECT INBOX\n"
	    "S. a1 OK\n"
	    "C: a2 COPY 1,3 Archive\n"
	    "S^ a2 OK [COPYUID \n"
	    "C: a3 COPY 1 nowhere\n"
	    "S: a3 NO [TRYCREATE] There is no such mailbox\n"
	    "C: a4 MOVE 2 Trash\n"
	    "S^ * OK [COPYUID \n"
	    "S: * 2 EXPUNGE\n"
	    "S: * 2 RECENT\n"
	    "S: a4 OK MOVE completed\n"
	    "C: a5 UID MOVE 2:3 Archive\n"
	    "S^ * OK [COPYUID \n"
	    "S: * 2 EXPUNGE\n"
	    "S: * 1 RECENT\n"
	    "S: a5 OK UID MOVE completed\n"
	    "C: a6 COPY 1 INBOX\n"
	    "S: * 2 EXISTS\n"
	    "S: * 2 RECENT\n"
	    "S^ a6 OK [COPYUID \n"
	    "C: a7 STATUS Archive (MESSAGES UIDNEXT)\n"
	    "S: * STATUS Archive (MESSAGES 3 UIDNEXT 4)\n"
	    "S: a7 OK STATUS completed\n"
	    "C: a8 UID COPY 77 Archive\n"
	    "S: a8 OK UID COPY completed\n"
	    "C: a9 SELECT Archive\n"
	    "S. a9 OK\n"
	    "C: b1 FETCH 3 (UID BODY.PEEK[HEADER.FIELDS (Subject)])\n"
	    "S^ * 3 FETCH (UID 3 BODY[HEADER.FIELDS (Subject)] {18}\n"
	    "S: Subject: Hello\n"
	    "S. b1 OK\n");
}

TEST(session_append)
{
	RUN_WITH("C: a1 APPEND Drafts (\\Draft $Mine) "
	    "\"17-Jul-1996 02:44:25 -0700\" {17}\n"
	    "S: + OK\n"
	    "C: Subject: x\n"
	    "C: \n"
	    "c: hi!\n"
	    "C: \n"
	    "S^ a1 OK [APPENDUID \n"
	    "C: a2 APPEND nowhere {5}\n"
	    "S: a2 NO [TRYCREATE] There is no such mailbox\n"
	    "C: a3 APPEND nowhere {5+}\n"
	    "C: 12345\n"
	    "S: a3 NO [TRYCREATE] There is no such mailbox\n"
	    "C: a4 APPEND {6}\n"
	    "S: + OK\n"
	    "C: Drafts (\\Seen) {3+}\n"
	    "C: abc\n"
	    "S^ a4 OK [APPENDUID \n"
	    "C: a5 APPEND Drafts {3+}\n"
	    "C: abc more\n"
	    "S: a5 BAD APPEND takes one message, and nothing behind it\n"
	    "C: a6 APPEND Drafts {1001}\n"
	    "S: a6 NO [TOOBIG] The message is too large\n"
	    "C: b0 APPEND Drafts {0+}\n"
	    "C: \n"
	    "S: b0 NO [CANNOT] The message is empty\n"
	    "C: a7 APPEND Drafts x {3+}\n"
	    "C: abc\n"
	    "S: a7 BAD APPEND: expected the message as a literal instead of "
	    "\"x\"\n"
	    "C: a8 SELECT Drafts\n"
	    "S. * 2 EXISTS\n"
	    "S. a8 OK\n"
	    "C: a9 FETCH 1 (FLAGS INTERNALDATE BODY.PEEK[])\n"
	    "S: * 1 FETCH (FLAGS (\\Draft $Mine \\Recent) INTERNALDATE "
	    "\"17-Jul-1996 09:44:25 +0000\" BODY[] {17}\n"
	    "S: Subject: x\n"
	    "S: \n"
	    "S: hi!)\n"
	    "S: a9 OK FETCH completed\n"
	    "C: b1 APPEND Drafts {7+}\n"
	    "n: a: b\n"
	    "n: \n"
	    "C: c\n"
	    "S: * 3 EXISTS\n"
	    "S: * 3 RECENT\n"
	    "S^ b1 OK [APPENDUID \n"
	    "C: b2 FETCH 3 BODY.PEEK[]\n"
	    "S: * 3 FETCH (BODY[] {9}\n"
	    "S: a: b\n"
	    "S: \n"
	    "S: c)\n"
	    "S: b2 OK FETCH completed\n",
	    .param = "imapd_message_size_limit=1000");
}

TEST(session_changes_of_others_and_silent)
{
	/* RFC 3501 6.4.6: what others did is told in spite of .SILENT */
	RUN("C: a1 SELECT INBOX\n"
	    "S. a1 OK\n"
	    "F: 2\n"
	    "C: a2 STORE 1:3 +FLAGS.SILENT (\\Seen)\n"
	    "S: * 2 FETCH (FLAGS (\\Flagged \\Seen \\Recent))\n"
	    "S: a2 OK STORE completed\n"
	    "C: a3 STORE 1:3 -FLAGS.SILENT (\\Seen)\n"
	    "S: a3 OK STORE completed\n"
	    "F: 3\n"
	    "C: a4 UID STORE 1 +FLAGS.SILENT (\\Seen)\n"
	    "S: * 3 FETCH (UID 3 FLAGS (\\Flagged \\Recent))\n"
	    "S: a4 OK UID STORE completed\n");
}

TEST(session_append_dates)
{
	/* 1970 began with a second like any other */
	RUN("C: a1 APPEND Junk \"01-Jan-1970 00:00:00 +0000\" {5+}\n"
	    "C: a:b\n"
	    "C: \n"
	    "S^ a1 OK\n"
	    "C: a2 APPEND Junk \"01-Jan-1960 01:00:00 +0100\" {5+}\n"
	    "C: a:b\n"
	    "C: \n"
	    "S^ a2 OK\n"
	    "C: a3 SELECT Junk\n"
	    "S. a3 OK\n"
	    "C: a4 FETCH 1:2 INTERNALDATE\n"
	    "S: * 1 FETCH (INTERNALDATE \" 1-Jan-1970 00:00:00 +0000\")\n"
	    "S: * 2 FETCH (INTERNALDATE \" 1-Jan-1960 00:00:00 +0000\")\n"
	    "S. a4 OK\n"
	    "C: a5 SEARCH BEFORE 1-Jan-1970\n"
	    "S: * SEARCH 2\n"
	    "S. a5 OK\n");
}

TEST(session_append_large)
{
	struct buf	b = BUF_INIT;

	buf_add_text(&b, "C: a1 APPEND INBOX {20006+}\nc: a: b\n\n");
	buf_reset(&b);
	buf_add_text(&b, "C: a1 APPEND INBOX {20008+}\nC: a: b\nC: \n");
	for (size_t i = 0; i < 2000; i++)
		buf_add_text(&b, "C: 12345678\n");
	buf_add_text(&b, "C: \nS^ a1 OK [APPENDUID \n"
	    "C: a2 SELECT INBOX\nS. a2 OK\n"
	    "C: a3 FETCH 4 (RFC822.SIZE BODY.PEEK[HEADER])\n"
	    "S: * 4 FETCH (RFC822.SIZE 20008 BODY[HEADER] {8}\n"
	    "S: a: b\nS: \nS: )\nS: a3 OK FETCH completed\n");
	RUN_WITH(buf_cstr(&b), .param = "imapd_append_memory_limit=4k");
	buf_free(&b);
}

TEST(session_quota)
{
	RUN_WITH("C: a1 APPEND INBOX {2000}\n"
	    "S: a1 NO [OVERQUOTA] The account is full\n"
	    "C: a2 SELECT INBOX\n"
	    "S. a2 OK\n"
	    "C: a3 COPY 1:3 Archive\n"
	    "S: a3 NO [OVERQUOTA] The account is full\n", .quota = 1100);
}

TEST(session_search)
{
	RUN("C: a1 SELECT INBOX\n"
	    "S. a1 OK\n"
	    "C: a2 STORE 2 +FLAGS.SILENT (\\Seen $Work)\n"
	    "S: a2 OK STORE completed\n"
	    "C: a3 SEARCH ALL\n"
	    "S: * SEARCH 1 2 3\n"
	    "S: a3 OK SEARCH completed\n"
	    "C: a4 SEARCH UNSEEN\n"
	    "S: * SEARCH 1 3\n"
	    "S: a4 OK SEARCH completed\n"
	    "C: a5 UID SEARCH OR SEEN 3\n"
	    "S: * SEARCH 2 3\n"
	    "S: a5 OK UID SEARCH completed\n"
	    "C: a6 SEARCH KEYWORD $work NOT UID 1\n"
	    "S: * SEARCH 2\n"
	    "S: a6 OK SEARCH completed\n"
	    "C: a7 SEARCH SUBJECT hell FROM j\303\226RG\n"
	    "S: a7 BAD SEARCH: unexpected \"??RG\" after the arguments\n"
	    "C: a8 SEARCH CHARSET UTF-8 SUBJECT hell FROM {5+}\n"
	    "C: J\303\226RG\n"
	    "S: * SEARCH 1 3\n"
	    "S: a8 OK SEARCH completed\n"
	    "C: a9 SEARCH BODY \"line\"\n"
	    "S: * SEARCH 1 3\n"
	    "S: a9 OK SEARCH completed\n"
	    "C: b1 SEARCH CHARSET UTF-8 TEXT {6+}\n"
	    "C: K\303\226LN \n"
	    "S: * SEARCH\n"
	    "S: b1 OK SEARCH completed\n"
	    "C: b2 SEARCH TEXT \"K\303\226LN\"\n"
	    "S: * SEARCH 2\n"
	    "S: b2 OK SEARCH completed\n"
	    "C: b3 SEARCH TEXT INNER\n"
	    "S: * SEARCH 2\n"
	    "S: b3 OK SEARCH completed\n"
	    "C: b4 SEARCH HEADER Message-ID 1@example\n"
	    "S: * SEARCH 1 3\n"
	    "S: b4 OK SEARCH completed\n"
	    "C: b5 SEARCH HEADER Return-Path \"\" LARGER 194\n"
	    "S: * SEARCH 2\n"
	    "S: b5 OK SEARCH completed\n"
	    "C: b6 SEARCH SENTON 1-Feb-2026 SINCE 1-Feb-2026 BEFORE "
	    "2-Feb-2026\n"
	    "S: * SEARCH 1 3\n"
	    "S: b6 OK SEARCH completed\n"
	    "C: b7 SEARCH CHARSET KOI8-R ALL\n"
	    "S: b7 NO [BADCHARSET (US-ASCII UTF-8 ISO-8859-1 ISO-8859-15 "
	    "WINDOWS-1252)] That charset is not known here\n"
	    "C: b7 SEARCH CHARSET ISO-8859-1 OR SUBJECT no TEXT {4+}\n"
	    "C: K\326LN\n"
	    "S: * SEARCH 2\n"
	    "S: b7 OK SEARCH completed\n"
	    "C: b8 UID SEARCH RETURN (MIN MAX COUNT ALL) ALL\n"
	    "S: * ESEARCH (TAG \"b8\") UID MIN 1 MAX 3 COUNT 3 ALL 1:3\n"
	    "S: b8 OK UID SEARCH completed\n"
	    "C: b9 SEARCH RETURN (COUNT MIN) FLAGGED\n"
	    "S: * ESEARCH (TAG \"b9\") COUNT 0\n"
	    "S: b9 OK SEARCH completed\n"
	    "C: c1 SEARCH TO b@x.org CC nobody\n"
	    "S: * SEARCH\n"
	    "S: c1 OK SEARCH completed\n"
	    "C: c2 SEARCH 2:3 NEW\n"
	    "S: * SEARCH 3\n"
	    "S: c2 OK SEARCH completed\n");
}

TEST(session_bad_clients)
{
	RUN_WITH("C: a1 FROB\n"
	    "S^ a1 BAD\n"
	    "C: a2 FROB\n"
	    "S^ a2 BAD\n"
	    "C: a3 NOOP\n"
	    "S: a3 OK NOOP completed\n"
	    "C: a4 FROB\n"
	    "S^ a4 BAD\n"
	    "C: a5 FROB\n"
	    "S^ a5 BAD\n"
	    "C: a6 FETCH 1 UID\n"
	    "S^ a6 BAD\n"
	    "S: * BYE Too many wrong commands\n"
	    "E:\n", .param = "imapd_bad_command_limit=3");
	RUN("C: a1 SELECT {99999999999999999999+}\n"
	    "S: * BYE [TOOBIG] The literal is too large\n"
	    "E:\n");
	RUN_WITH("C: a1 SELECT {20000}\n"
	    "S: a1 BAD [TOOBIG] The command is too long\n"
	    "C: a2 SELECT {20000+}\n"
	    "W: 300000\n"
	    "S: * BYE Idle too long\n"
	    "E:\n", .param = "imapd_command_length_limit=16k");
	RUN("W: 1800000\n"
	    "S: * BYE Idle too long\n"
	    "E:\n");
}

TEST(session_literals_that_nobody_asked_for)
{
	/* dropped up to twice what a message may have; BYE beyond */
	RUN_WITH("C: a1 APPEND INBOX {1048577+}\n"
	    "S: * BYE [TOOBIG] The literal is too large\n"
	    "E:\n", .param = "imapd_message_size_limit=100k");
	RUN_WITH("C: a1 APPEND nowhere {10+}\n"
	    "C: 0123456789\n"
	    "S^ a1 NO [TRYCREATE]\n"
	    "C: a2 SELECT {1048577+}\n"
	    "S: * BYE [TOOBIG] The literal is too large\n"
	    "E:\n", .param = "imapd_message_size_limit=100k");
	RUN_WITH("C: a1 APPEND INBOX {4294967296+}\n"
	    "S: * BYE [TOOBIG] The literal is too large\n"
	    "E:\n", .param = "imapd_message_size_limit=1g");
}

TEST(session_long_line)
{
	struct buf	b = BUF_INIT;

	buf_add_text(&b, "C: a1 SELECT ");
	for (size_t i = 0; i < 9000; i++)
		buf_add_byte(&b, 'x');
	buf_add_text(&b, "\nS: a1 BAD The line is too long\n"
	    "C: a2 NOOP\nS: a2 OK NOOP completed\n");
	RUN_WITH(buf_cstr(&b), .param = "imapd_line_length_limit=8k");
	buf_free(&b);
}

TEST(session_pipelined)
{
	RUN("P: a1 SELECT INBOX\n"
	    "P: a2 FETCH 1 UID\n"
	    "C: a3 NOOP\n"
	    "S. a1 OK\n"
	    "S: * 1 FETCH (UID 1)\n"
	    "S: a2 OK FETCH completed\n"
	    "S: a3 OK NOOP completed\n");
}

TEST(session_move_onto_itself)
{
	RUN("C: a1 SELECT INBOX\n"
	    "S. a1 OK\n"
	    "C: a2 MOVE 1 INBOX\n"
	    "S^ * OK [COPYUID \n"
	    "S: * 1 EXPUNGE\n"
	    "S: * 3 EXISTS\n"
	    "S: * 3 RECENT\n"
	    "S: a2 OK MOVE completed\n"
	    "C: a3 FETCH 3 UID\n"
	    "S: * 3 FETCH (UID 4)\n"
	    "S: a3 OK FETCH completed\n");
}

TEST(session_makes_digests_again)
{
	RUN("U: INBOX 200000\n"
	    "C: a1 SELECT INBOX\n"
	    "S. a1 OK\n"
	    "C: a2 FETCH 4 (ENVELOPE BODY)\n"
	    "S: * 4 FETCH (ENVELOPE (NIL \"big\" NIL NIL NIL NIL NIL NIL NIL "
	    "NIL) BODY (\"text\" \"plain\" (\"charset\" \"us-ascii\") "
	    "NIL NIL \"7bit\" 199980 19998))\n"
	    "S: a2 OK FETCH completed\n"
	    "U: INBOX 100\n"
	    "C: b2 NOOP\n"
	    "S. b2 OK\n"
	    "C: a3 SEARCH SUBJECT BIG\n"
	    "S: * SEARCH 4 5\n"
	    "S. a3 OK\n");
}

TEST(session_keywords)
{
	struct buf	b = BUF_INIT;

	/* more keywords than the flag word holds */
	buf_add_text(&b, "C: a0 SELECT INBOX\nS. a0 OK\n");
	for (size_t i = 0; i < 60; i++)
		buf_addf(&b, "C: k%zu STORE 1 +FLAGS.SILENT word%zu\n"
		    "S. k%zu OK\n", i, i, i);
	buf_add_text(&b, "C: a1 FETCH 1 FLAGS\n"
	    "S. * 1 FETCH (FLAGS (word0 word1 \n"
	    "S: a1 OK FETCH completed\n"
	    "C: a2 SEARCH KEYWORD WORD59\n"
	    "S: * SEARCH 1\n"
	    "S. a2 OK\n"
	    "C: a3 SEARCH UNKEYWORD word3\n"
	    "S: * SEARCH 2 3\n"
	    "S. a3 OK\n"
	    "C: a4 SEARCH KEYWORD nobodys\n"
	    "S: * SEARCH\n"
	    "S. a4 OK\n");
	RUN(buf_cstr(&b));
	buf_free(&b);
}

/* add_flags - what FLAGS or PERMANENTFLAGS says of these keywords */
static void
add_flags(struct buf *b, const char *before, size_t first, size_t end,
    const char *after)
{
	buf_addf(b, "S: %s(\\Answered \\Flagged \\Deleted \\Seen \\Draft",
	    before);
	for (size_t i = first; i < end; i++)
		buf_addf(b, " word%zu", i);
	buf_addf(b, "%s\n", after);
}

TEST(session_keywords_are_named)
{
	struct buf	b = BUF_INIT;

	buf_add_text(&b, "C: a0 SELECT INBOX\nS. a0 OK\n");
	for (size_t i = 0; i < 48; i++)
		buf_addf(&b, "C: k%zu STORE 1 +FLAGS.SILENT word%zu\n"
		    "S. k%zu OK\n", i, i, i);
	/* one more than the flag word holds; nobody was told of the others */
	buf_add_text(&b, "C: b1 STORE 2 +FLAGS word48\n");
	add_flags(&b, "* FLAGS ", 48, 49, ")");
	add_flags(&b, "* OK [PERMANENTFLAGS ", 48, 49,
	    " \\*)] Flags can be set for good");
	buf_add_text(&b, "S: * 2 FETCH (FLAGS (word48 \\Recent))\n"
	    "S. b1 OK\n"
	    "Z:\n"
	    "C: b2 FETCH 2 FLAGS\n"	/* it is named already */
	    "S: * 2 FETCH (FLAGS (word48 \\Recent))\n"
	    "S. b2 OK\n"
	    "C: b3 STORE 3 +FLAGS.SILENT word49\n"
	    "S. b3 OK\n"
	    "C: b4 SELECT INBOX\n");
	add_flags(&b, "* FLAGS ", 0, 50, ")");
	add_flags(&b, "* OK [PERMANENTFLAGS ", 0, 50,
	    " \\*)] Flags can be set for good");
	buf_add_text(&b, "S. b4 OK\n");
	RUN(buf_cstr(&b));
	buf_free(&b);
}

TEST(session_two_of_one_account)
{
	/* what one session was told of is not recent to the next */
	RUN("C: a1 SELECT INBOX\n"
	    "S. * 3 RECENT\n"
	    "S. a1 OK\n"
	    "D: INBOX 100\n"
	    "C: a2 NOOP\n"
	    "S: * 4 EXISTS\n"
	    "S: * 4 RECENT\n"
	    "S. a2 OK\n"
	    "C: a3 CLOSE\n"
	    "S. a3 OK\n"
	    "C: a4 SELECT INBOX\n"
	    "S. * 0 RECENT\n"
	    "S. a4 OK\n");
}
