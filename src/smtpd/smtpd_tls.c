/* SPDX-License-Identifier: ISC */
/*
 * STARTTLS (RFC 3207) and TLS at once. Keys are in signd. After the handshake
 * nothing the client said before counts (4.2).
 */
#include <string.h>

#include "libglobal/tls_server.h"
#include "libtask/tls.h"
#include "smtpd/smtpd.h"
#include "smtpd/smtpd_events.h"

/* context - the process's TLS context, made when it is first needed */
static int
context(struct task *t, struct smtpd_client *c, struct tls_context **ret_ctx)
{
	const struct smtpd_params	*p = c->p;
	struct tls_params		 tp = {
		.role = TLS_SERVER,
		.protocols = p->smtpd_tls_protocols.data,
		.ciphers = p->smtpd_tls_ciphers.data,
		.exclude_ciphers = p->smtpd_tls_exclude_ciphers.data,
		.ssl_options = p->tls_ssl_options.data,
		.prefer_server_order = p->tls_preempt_cipherlist,
		.session_name = "smtpd",
	};
	struct diag			 diag = DIAG_INIT;
	int				 r;

	r = tls_server_context(t, &c->smtpd->tls, c->daemon, "smtpd", &tp,
	    ret_ctx, &diag);
	if (r < 0 && !c->smtpd->no_tls)
		log_event(&c->log, EV_SMTPD_NO_TLS, KV_TEXT("why", diag.text));
	c->smtpd->no_tls = r < 0;
	return r;
}

/* smtpd_offers_tls - may STARTTLS come now? */
bool
smtpd_offers_tls(const struct smtpd_client *c)
{
	return c->p->smtpd_tls_security_level != 0 && !c->tls;
}

/* smtpd_start_tls - the handshake, and forgetting */
int
smtpd_start_tls(struct task *t, struct smtpd_client *c)
{
	struct tls_context	*ctx;
	struct deadline		 d;
	struct buf		 text = BUF_INIT;
	int			 r;

	if ((r = context(t, c, &ctx)) < 0)
		return r == -ECANCELED ? r : -EPROTO;
	deadline_begin(t, &d, c->p->smtpd_starttls_timeout);
	r = stream_start_tls(t, &c->stream, ctx, NULL);
	r = deadline_end(t, &d, r);
	if (r < 0) {
		log_event(&c->log, EV_SMTPD_TLS_FAILED, KV_TEXT("why",
		    c->stream.tls == NULL ? strerror(-r) :
		    tls_error_text(c->stream.tls)));
		return r == -ECANCELED || r == -ETIMEDOUT ? r : -EPROTO;
	}
	if (c->p->smtpd_tls_loglevel > 0) {
		tls_format_summary(&text, c->stream.tls);
		log_event(&c->log, EV_SMTPD_TLS, KV_STR("tls", buf_slice(&text)));
		buf_free(&text);
	}
	txn_reset(c);
	c->tls = true;
	c->state = IN_START;
	c->helo[0] = '\0';
	c->esmtp = false;
	return 0;
}

/* cmd_starttls - RFC 3207 4 */
int
cmd_starttls(struct task *t, struct smtpd_client *c, struct slice args)
{
	struct tls_context	*ctx;
	struct slice		 rest = stream_buffered(&c->stream);
	int			 r;

	(void)args;
	if (!smtpd_offers_tls(c)) {
		c->errors++;
		return smtpd_reply(t, c, c->tls ? 554 : 502, c->tls ?
		    "5.5.1 Error: TLS already active" :
		    "5.5.1 Error: command not implemented");
	}
	if (rest.len > 0) {
		/* commands behind STARTTLS, in the clear: an injection */
		c->quit = true;
		c->errors++;
		return smtpd_reply(t, c, 554, "5.5.0 Error: input behind STARTTLS");
	}
	if ((r = context(t, c, &ctx)) < 0)
		return r == -ECANCELED ? r : smtpd_reply(t, c, 454,
		    "4.7.0 TLS not available due to local problem");
	r = smtpd_reply(t, c, 220, "2.0.0 Ready to start TLS");
	return r < 0 ? r : smtpd_start_tls(t, c);
}
