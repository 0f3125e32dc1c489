/* SPDX-License-Identifier: ISC */
/*
 * STARTTLS (RFC 3501 6.2.1) and TLS at once. Keys are in signd. What came in
 * the clear behind STARTTLS may be an attacker's: such a client is sent away.
 */
#include "imapd/front_client.h"

#include "imapd/imapd_events.h"
#include "libtask/tls.h"

/* context - the process's TLS context, made when it is first needed */
static int
context(struct task *t, struct front *f, struct tls_context **ret_ctx)
{
	const struct imapd_params	*p = f->p;
	struct tls_params		 tp = {
		.role = TLS_SERVER,
		.protocols = p->imapd_tls_protocols.data,
		.ciphers = p->imapd_tls_ciphers.data,
		.exclude_ciphers = p->imapd_tls_exclude_ciphers.data,
		.ssl_options = p->tls_ssl_options.data,
		.prefer_server_order = p->tls_preempt_cipherlist,
		.alpn = "imap",
		.session_name = "imapd",
	};
	struct diag			 diag = DIAG_INIT;
	int				 r;

	r = tls_server_context(t, &f->imapd->tls, f->daemon, "imapd", &tp,
	    ret_ctx, &diag);
	/* "may" without a certificate is what a fresh system has */
	if (r < 0 && r != -ECANCELED && !f->imapd->no_tls &&
	    (r != -ENOENT || p->imapd_tls_wrappermode ||
	    p->imapd_tls_security_level == 2)) {
		log_event(&f->log, EV_IMAPD_NO_TLS, KV_TEXT("why", diag.text));
		f->imapd->no_tls = true;
	}
	if (r == 0)
		f->imapd->no_tls = false;
	return r;
}

/* front_prepare_tls - is there TLS? */
int
front_prepare_tls(struct task *t, struct front *f)
{
	struct tls_context	*ctx;
	int			 r;

	if (f->p->imapd_tls_security_level == 0 || f->p->imapd_tls_wrappermode)
		return 0;
	r = context(t, f, &ctx);
	f->may_tls = r == 0;
	return r == -ECANCELED ? r : 0;
}

/* front_start_tls - the handshake */
int
front_start_tls(struct task *t, struct front *f)
{
	struct tls_context	*ctx;
	struct deadline		 d;
	struct buf		 text = BUF_INIT;
	int			 r;

	if ((r = context(t, f, &ctx)) < 0)
		return r == -ECANCELED ? r : -EPROTO;
	deadline_begin(t, &d, f->p->imapd_starttls_timeout);
	r = stream_start_tls(t, &f->stream, ctx, NULL);
	r = deadline_end(t, &d, r);
	if (r < 0) {
		log_event(&f->log, EV_IMAPD_TLS_FAILED, KV_TEXT("why",
		    f->stream.tls == NULL ||
		    tls_error_text(f->stream.tls)[0] == '\0' ? strerror(-r) :
		    tls_error_text(f->stream.tls)));
		return r == -ECANCELED ? r : -EPROTO;
	}
	f->tls = true;
	f->may_tls = false;
	if (f->p->imapd_tls_loglevel > 0) {
		tls_format_summary(&text, f->stream.tls);
		log_event(&f->log, EV_IMAPD_TLS, KV_STR("tls",
		    buf_slice(&text)));
		buf_free(&text);
	}
	return 0;
}

/* front_starttls - the command */
int
front_starttls(struct task *t, struct front *f, struct slice tag)
{
	int r;

	if (!f->may_tls)
		return front_say(t, f, "%.*s BAD %s", SLICE_ARG(tag),
		    f->tls ? "TLS is active already" : "TLS is not available");
	if (stream_buffered(&f->stream).len > 0) {
		log_event(&f->log, EV_IMAPD_INJECTION);
		f->quit = true;
		return front_say(t, f, "%.*s BAD Nothing may follow STARTTLS "
		    "in the clear", SLICE_ARG(tag));
	}
	r = front_say(t, f, "%.*s OK Begin TLS negotiation now",
	    SLICE_ARG(tag));
	return r < 0 ? r : front_start_tls(t, f);
}
