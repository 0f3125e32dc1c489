/* SPDX-License-Identifier: ISC */
/* AUTH (RFC 4954): the steps are relayed to authd, which alone decides. */
#include <string.h>

#include "libglobal/ipc_auth.h"
#include "libutil/base64.h"
#include "smtpd/smtpd.h"
#include "smtpd/smtpd_events.h"

#define LINE_MAX_AUTH	12288	/* RFC 4954 4 */
#define STEPS_MAX	8

enum { GO_ON = 1, LOGGED_IN = 2, REFUSED = 3 };

/* challenge - send one, and read the client's answer, base64 removed */
static int
challenge(struct task *t, struct smtpd_client *c, struct slice text,
    struct buf *ret_answer, bool *ret_given_up)
{
	struct buf	line = BUF_INIT;
	struct slice	in;
	struct deadline	idle;
	int		r;

	base64_encode(&line, text);
	r = stream_writef(t, &c->stream, "334 %.*s\r\n",
	    SLICE_ARG(buf_slice(&line)));
	buf_free(&line);
	if (r < 0)
		return r;
	deadline_begin(t, &idle, c->p->smtpd_timeout);
	r = stream_read_line(t, &c->stream, LINE_MAX_AUTH, &in);
	r = deadline_end(t, &idle, r);
	if (r == 0 && slice_equal(in, S("*")))
		*ret_given_up = true;
	else if (r == 0)
		r = base64_decode(ret_answer, in);
	return r;
}

/* start - the first step at authd */
static int
start(struct task *t, struct smtpd_client *c, const struct smtp_auth *auth,
    struct slice initial, struct arena *a, struct msg_auth_step **ret_step)
{
	struct msg_auth_start	 m = { .protocol = S("smtp"),
				    .mechanism = auth->mechanism,
				    .initial = initial,
				    .has_initial = auth->has_initial,
				    .client_address = slice_of(c->address),
				    .tls = c->tls,
				    .session = slice_of(c->session.text) };
	void			*reply;
	int			 r;

	r = edge_call(t, daemon_edge(c->daemon, "authd", &ipc_table_auth),
	    &msg_auth_start_desc, &m, &msg_auth_step_desc, a, &reply);
	if (r == 0)
		*ret_step = reply;
	return r;
}

static int
go_on(struct task *t, struct smtpd_client *c, uint64_t exchange,
    struct slice response, struct arena *a, struct msg_auth_step **ret_step)
{
	struct msg_auth_continue m = { exchange, response };
	void			*reply;
	int			 r;

	r = edge_call(t, daemon_edge(c->daemon, "authd", &ipc_table_auth),
	    &msg_auth_continue_desc, &m, &msg_auth_step_desc, a, &reply);
	if (r == 0)
		*ret_step = reply;
	return r;
}

/* outcome - the client's answer to the last step */
static int
outcome(struct task *t, struct smtpd_client *c, const struct smtp_auth *auth,
    const struct msg_auth_step *step)
{
	struct status bad;

	if (step->outcome == LOGGED_IN) {
		(void)snprintf(c->login, sizeof(c->login), "%.*s",
		    SLICE_ARG(step->login));
		(void)snprintf(c->mechanism, sizeof(c->mechanism), "%.*s",
		    SLICE_ARG(auth->mechanism));
		return smtpd_reply(t, c, 235, "2.7.0 Authentication successful");
	}
	log_event(&c->log, EV_SMTPD_LOGIN_FAILED,
	    KV_STR("sasl_method", auth->mechanism), KV_STR("why", step->text));
	c->errors++;
	bad = step->outcome == REFUSED ?
	    status_make(535, "5.7.8", "Error: authentication failed") :
	    status_make(454, "4.7.0", "Temporary authentication failure");
	return smtpd_reply(t, c, bad.code, "%s %.*s",
	    bad.code == 535 ? "5.7.8" : "4.7.0", SLICE_ARG(status_text(&bad)));
}

/* give_up - the client said "*", or nonsense */
static int
give_up(struct task *t, struct smtpd_client *c, uint64_t exchange, bool asked)
{
	struct msg_auth_cancel m = { exchange };

	ignore(edge_post(daemon_edge(c->daemon, "authd", &ipc_table_auth),
	    &msg_auth_cancel_desc, &m));	/* it forgets by itself, too */
	c->errors++;
	return smtpd_reply(t, c, 501, asked ? "5.7.0 Authentication aborted" :
	    "5.5.2 Error: invalid base64");
}

/* exchange - all steps */
static int
exchange(struct task *t, struct smtpd_client *c, const struct smtp_auth *auth,
    struct slice initial, struct arena *a)
{
	struct msg_auth_step	*step;
	struct buf		 answer = BUF_INIT;
	bool			 given_up = false;
	int			 r = start(t, c, auth, initial, a, &step);

	for (int i = 0; r == 0 && step->outcome == GO_ON && i < STEPS_MAX; i++) {
		buf_reset(&answer);
		r = challenge(t, c, step->challenge, &answer, &given_up);
		if (r == -EBADMSG || r == -EMSGSIZE || given_up) {
			r = give_up(t, c, step->exchange, given_up);
			goto out;
		}
		if (r == 0)
			r = go_on(t, c, step->exchange, buf_slice(&answer), a,
			    &step);
	}
	if (r == 0)
		r = outcome(t, c, auth, step);
	else if (r != -ECANCELED && r != -ENODATA && r != -ETIMEDOUT)
		r = smtpd_trouble(t, c, "AUTH", "authentication", r);
out:
	buf_free(&answer);
	return r;
}

/* cmd_auth - RFC 4954 4 */
int
cmd_auth(struct task *t, struct smtpd_client *c, struct slice args)
{
	struct arena		a = ARENA_INIT;
	struct buf		initial = BUF_INIT;
	struct smtp_auth	auth;
	struct status		bad;
	int			r;

	if (!c->p->smtpd_sasl_auth_enable) {
		c->errors++;
		return smtpd_reply(t, c, 503,
		    "5.5.1 Error: authentication not enabled");
	}
	if (c->login[0] != '\0') {
		c->errors++;
		return smtpd_reply(t, c, 503,
		    "5.5.1 Error: already authenticated");
	}
	if (c->p->smtpd_tls_auth_only && !c->tls) {
		bad = status_make(538, "5.7.11",
		    "Encryption required for requested authentication mechanism");
		return smtpd_refuse(t, c, "AUTH", SLICE_EMPTY, &bad);
	}
	if (smtp_parse_auth(args, &a, &auth, &bad) < 0)
		r = smtpd_refuse(t, c, "AUTH", SLICE_EMPTY, &bad);
	else if (!slice_equal(auth.mechanism, S("PLAIN")) &&
	    !slice_equal(auth.mechanism, S("LOGIN"))) {
		bad = status_make(504, "5.5.4",
		    "Unrecognized authentication type");
		r = smtpd_refuse(t, c, "AUTH", SLICE_EMPTY, &bad);
	} else if (base64_decode(&initial, auth.initial) < 0) {
		bad = status_make(501, "5.5.2", "Error: invalid base64");
		r = smtpd_refuse(t, c, "AUTH", SLICE_EMPTY, &bad);
	} else {
		r = exchange(t, c, &auth, buf_slice(&initial), &a);
	}
	buf_free(&initial);
	arena_free(&a);
	return r;
}
