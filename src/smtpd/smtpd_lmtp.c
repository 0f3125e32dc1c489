/* SPDX-License-Identifier: ISC */
/*
 * LMTP (RFC 2033): the sessions of SMTP but for the hello, and for the end of
 * the content, which is answered once for each RCPT that was accepted. What
 * fails for now stays the client's, which hears 4xx for that recipient.
 */
#include "libglobal/ipc_map.h"
#include "libtask/peer.h"
#include "smtpd/smtpd.h"

/* lmtp_may_speak - this host may, and who is in mynetworks: 1, else 0 */
int
lmtp_may_speak(struct task *t, struct smtpd_client *c)
{
	struct msg_map_client	 m = { .address = slice_of(c->address),
				    .name = slice_of(c->name) };
	struct arena		 a = ARENA_INIT;
	void			*reply;
	int			 r;

	if (peer_is_loopback(c->address))
		return 1;
	r = edge_call_again(t, daemon_edge(c->daemon, "mapd", &ipc_table_map),
	    &msg_map_client_desc, &m, &msg_map_client_is_desc, &a, &reply);
	if (r == 0)
		r = ((struct msg_map_client_is *)reply)->trusted;
	arena_free(&a);
	return r;
}

/* rank - what of several answers counts: a client that hears 4 tries again,
 * and only then one that failed for now is not lost */
static unsigned
rank(const struct msg_rcpt_answer *a)
{
	return a->code / 100 == 2 ? 0 : a->code / 100 == 5 ? 1 : 2;
}

/* of_named - what became of an accepted RCPT, which may stand for several
 * recipients */
static struct status
of_named(const struct smtpd_named *n, const struct content_answers *answers)
{
	const struct msg_rcpt_answer	*worst = NULL;
	struct status_code		 code = { 0, 0, 0 };

	if (n->first + n->count > answers->n)
		return status_make(451, "4.3.0",
		    "Temporary server error, try again later");
	for (size_t i = n->first; i < n->first + n->count; i++)
		if (worst == NULL || rank(&answers->v[i]) > rank(worst))
			worst = &answers->v[i];
	if (worst == NULL)	/* an alias that leads nowhere */
		return status_make(250, "2.0.0", "Ok");
	ignore(status_code_parse(worst->enhanced, &code));	/* or none */
	return status_of(worst->code, code, worst->text);
}

/* answer - "250 2.0.0 <rcpt> text" */
static int
answer(struct task *t, struct smtpd_client *c, const char *stage,
    const struct smtpd_named *n, const struct status *s)
{
	struct buf	text = BUF_INIT;
	struct status	said = *s;
	int		r;

	buf_addf(&text, "<%.*s> ", SLICE_ARG(n->text));
	status_prefix_text(&said, buf_slice(&text));
	buf_reset(&text);
	if (status_is_ok(s)) {
		status_format(&text, &said);
		r = stream_writef(t, &c->stream, "%.*s\r\n",
		    SLICE_ARG(buf_slice(&text)));
	} else {
		r = smtpd_refuse(t, c, stage, n->text, &said);
	}
	buf_free(&text);
	return r;
}

/* lmtp_answer_each - one answer for each RCPT that was accepted (RFC 2033
 * 4.2); without those of cleanup all hear the same */
int
lmtp_answer_each(struct task *t, struct smtpd_client *c, const char *stage,
    const struct content_answers *answers, const struct status *s)
{
	const struct smtpd_txn	*x = &c->txn;
	int			 r = 0;

	for (size_t i = 0; r == 0 && i < x->accepted; i++) {
		struct status of = answers->n == 0 ? *s :
		    of_named(smtpd_targets_of(x, i), answers);

		r = answer(t, c, stage, &x->named[i], &of);
	}
	return r;
}
