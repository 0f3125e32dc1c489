/* SPDX-License-Identifier: ISC */
/*
 * Responses are composed in s->out and handed to the stream when there are
 * enough of them, so a thousand FETCH lines are a few writes. Each write has
 * a deadline: a client that reads nothing is closed.
 */
#include "imapd/session_private.h"

#include "imapd/session_events.h"

static const struct {
	int		error;
	const char	*code;
	const char	*text;
	enum { TELL, LOG } what;
} store_errors[] = {
#define STORE_ERROR(error, code, text, what) { -error, code, text, what },
#include "imapd/session_errors.def"
};

/* session_put_all - write out what was composed */
int
session_put_all(struct task *t, struct imap_session *s)
{
	struct deadline	d;
	int		r = buf_check(&s->out);

	if (r == 0 && s->out.len > 0) {
		deadline_begin(t, &d, s->params->imapd_write_timeout);
		r = stream_write(t, s->stream, buf_slice(&s->out));
		r = deadline_end(t, &d, r);
	}
	if (s->out.cap > 4 * SESSION_OUT_MAX)
		buf_free(&s->out);
	else
		buf_reset(&s->out);
	return r;
}

/* session_put - write out what was composed, once it is much */
int
session_put(struct task *t, struct imap_session *s)
{
	return s->out.len < SESSION_OUT_MAX ? 0 : session_put_all(t, s);
}

/* session_put_bytes - foreign bytes behind what was composed */
int
session_put_bytes(struct task *t, struct imap_session *s, struct slice bytes)
{
	struct deadline	d;
	int		r;

	if (bytes.len < SESSION_OUT_MAX) {
		buf_add(&s->out, bytes);
		return session_put(t, s);
	}
	if ((r = session_put_all(t, s)) < 0)
		return r;
	deadline_begin(t, &d, s->params->imapd_write_timeout);
	r = stream_write(t, s->stream, bytes);
	return deadline_end(t, &d, r);
}

/* session_say - the tagged response to come */
void
session_say(struct imap_session *s, const char *status, const char *code,
    const char *text)
{
	s->status = status;
	s->text = text;
	buf_reset(&s->code);
	if (code != NULL)
		buf_add_text(&s->code, code);
}

/* session_failed - what a failed call of the store means for the client */
int
session_failed(struct imap_session *s, int r, const char *missing)
{
	size_t	i = 0;

	if (r == -ECANCELED)
		return r;
	while (i < COUNT(store_errors) && store_errors[i].error != r)
		i++;
	if (i < COUNT(store_errors))
		session_say(s, "NO", store_errors[i].code[0] == '\0' ?
		    missing : store_errors[i].code, store_errors[i].text);
	else
		session_say(s, "NO", "SERVERBUG", "The server failed");
	if (i == COUNT(store_errors) || store_errors[i].what == LOG)
		log_event(&s->log, EV_IMAP_SESSION_ERROR,
		    KV_TEXT("command", imap_command_name(s->command.id)),
		    KV_OPT("mailbox", s->command.mailbox.name),
		    KV_ERR("why", r));
	return 0;
}

/* session_format_tagged - "a1 OK [CODE] text" */
void
session_format_tagged(struct imap_session *s, struct slice tag)
{
	buf_add(&s->out, tag);
	buf_addf(&s->out, " %s ", s->status);
	if (s->code.len > 0) {
		buf_add_byte(&s->out, '[');
		buf_add(&s->out, buf_slice(&s->code));
		buf_add_text(&s->out, "] ");
	}
	if (s->text != NULL)
		buf_add_text(&s->out, s->text);
	else
		buf_addf(&s->out, "%s%s completed",
		    s->command.by_uid ? "UID " : "",
		    imap_command_name(s->command.id));
	buf_add_text(&s->out, "\r\n");
}
