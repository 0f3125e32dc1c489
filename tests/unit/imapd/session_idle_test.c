/* SPDX-License-Identifier: ISC */
/* Sessions that wait, sleep and are told to go. */
#include "session_mail.h"

TEST(session_idle)
{
	RUN("C: a1 SELECT INBOX\n"
	    "S. a1 OK\n"
	    "C: a2 IDLE\n"
	    "S: + idling\n"
	    "W: 1000\n"
	    "D: INBOX 50\n"
	    "S: * 4 EXISTS\n"
	    "S: * 4 RECENT\n"
	    "X: 2\n"
	    "S: * 2 EXPUNGE\n"
	    "F: 3\n"
	    "S: * 3 RECENT\n"
	    "S: * 2 FETCH (UID 3 FLAGS (\\Flagged \\Recent))\n"
	    "C: DONE\n"
	    "S: a2 OK IDLE completed\n"
	    "C: a3 IDLE\n"
	    "S: + idling\n"
	    "C: a4 NOOP\n"
	    "S: a3 BAD Expected DONE\n"
	    "C: a5 IDLE\n"
	    "S: + idling\n"
	    "W: 1799000\n"
	    "S: * BYE Idle too long\n"
	    "E:\n");
}

TEST(session_sleep)
{
	RUN("C: a1 SELECT INBOX\n"
	    "S. a1 OK\n"
	    "Z:\n"
	    "C: a2 FETCH 2 (UID FLAGS)\n"
	    "S: * 2 FETCH (UID 2 FLAGS (\\Recent))\n"
	    "S: a2 OK FETCH completed\n"
	    "C: a3 IDLE\n"
	    "S: + idling\n"
	    "X: 1\n"
	    "S: * 1 EXPUNGE\n"
	    "Z:\n"
	    "D: INBOX 50\n"
	    "S: * 2 RECENT\n"
	    "S: * 3 EXISTS\n"
	    "S: * 3 RECENT\n"
	    "Z:\n"
	    "C: DONE\n"
	    "S: a3 OK IDLE completed\n"
	    "C: a4 EXAMINE INBOX\n"
	    "S. a4 OK [READ-ONLY]\n"
	    "Z:\n"
	    "C: a5 STORE 1 FLAGS ()\n"
	    "S: a5 NO [READ-ONLY] The mailbox is read-only\n");
}

TEST(session_changes_while_asleep)
{
	RUN("C: a1 SELECT INBOX\n"
	    "S. a1 OK\n"
	    "C: a2 IDLE\n"
	    "S: + idling\n"
	    "W: 10\n"
	    "Z:\n"
	    "W: 10\n"
	    "C: DONE\n"
	    "S: a2 OK IDLE completed\n"
	    "C: a3 DELETE Junk\n"
	    "S: a3 OK DELETE completed\n"
	    "C: a4 SELECT Trash\n"
	    "S. a4 OK\n"
	    "C: a5 DELETE Trash\n"
	    "S^ * OK [CLOSED] \n"
	    "S: a5 OK DELETE completed\n"
	    "C: a6 FETCH 1 UID\n"
	    "S: a6 BAD No mailbox is selected\n");
}

TEST(session_thaw_refuses)
{
	static const struct slice states[] = {
		S_INIT(""), S_INIT("\1"), S_INIT("\2\0"), S_INIT("\1\0abc"),
	};
	struct imap_session_setup setup = { .account = NULL };
	struct imap_session *s = NULL;

	for (size_t i = 0; i < COUNT(states); i++)
		CHECK_INT(imap_session_thaw(&setup, states[i], &s), -EBADMSG,
		    i);
	CHECK(s == NULL, 0);
}

TEST(session_dismissed)
{
	RUN("C: a1 SELECT INBOX\n"
	    "S. a1 OK\n"
	    "C: a2 IDLE\n"
	    "S: + idling\n"
	    "B: Shutting down\n"
	    "S: * BYE Shutting down\n"
	    "E:\n");
}
