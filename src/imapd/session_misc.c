/* SPDX-License-Identifier: ISC */
/* The commands that need little: CAPABILITY, NOOP, LOGOUT, ID, ENABLE,
 * NAMESPACE, CLOSE, UNSELECT. */
#include "imapd/session_private.h"

#include "imapd/session_events.h"

/* session_capability - CAPABILITY (RFC 3501 6.1.1) */
int
session_capability(struct task *t, struct imap_session *s)
{
	(void)t;
	buf_add_text(&s->out, "* CAPABILITY ");
	imap_format_capabilities(&s->out, true);
	buf_add_text(&s->out, "\r\n");
	return 0;
}

/* session_noop - NOOP and CHECK: what changed is told after every command,
 * and everything is on the disk already */
int
session_noop(struct task *t, struct imap_session *s)
{
	(void)t;
	(void)s;
	return 0;
}

/* session_logout - LOGOUT (RFC 3501 6.1.3) */
int
session_logout(struct task *t, struct imap_session *s)
{
	(void)t;
	buf_add_text(&s->out, "* BYE Logging out\r\n");
	s->quit = true;
	return 0;
}

/* id_value - what the client says under that name, or nothing */
static struct slice
id_value(const struct imap_command *cmd, struct slice field)
{
	for (size_t i = 0; i < cmd->client.count; i++)
		if (slice_equal_nocase(cmd->client.pairs[i].field, field))
			return cmd->client.pairs[i].value;
	return SLICE_EMPTY;
}

/* session_id - ID (RFC 2971) */
int
session_id(struct task *t, struct imap_session *s)
{
	(void)t;
	if (s->command.client.count > 0)
		log_event(&s->log, EV_IMAP_SESSION_CLIENT,
		    KV_OPT("name", id_value(&s->command, S("name"))),
		    KV_OPT("version", id_value(&s->command, S("version"))),
		    KV_OPT("os", id_value(&s->command, S("os"))));
	/* which release it is helps attackers more than clients */
	buf_add_text(&s->out, "* ID (\"name\" \"Barid\")\r\n");
	return 0;
}

/* session_enable - ENABLE (RFC 5161): none of what is announced needs it, and
 * what is not known is passed over */
int
session_enable(struct task *t, struct imap_session *s)
{
	(void)t;
	buf_add_text(&s->out, "* ENABLED\r\n");
	return 0;
}

/* session_namespace - NAMESPACE (RFC 2342): the user's own mailboxes */
int
session_namespace(struct task *t, struct imap_session *s)
{
	(void)t;
	buf_addf(&s->out, "* NAMESPACE ((\"\" \"%c\")) NIL NIL\r\n",
	    IMAP_SEPARATOR);
	return 0;
}
