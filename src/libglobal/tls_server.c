/* SPDX-License-Identifier: ISC */
/*
 * The sign function of every handshake is a call to signd (deadline 5 s): the
 * one callback of a library that may suspend its task.
 */
#include "libglobal/tls_server.h"

#include <string.h>

#include "libglobal/daemon.h"
#include "libglobal/ipc_sign.h"
#include "libtask/tls.h"

#define SIGN_LIMIT	5000	/* ms */
#define TICKET_KEY_SIZE	80	/* name 16, HMAC 32, AES 32 */

static struct edge *
signd(struct daemon *d)
{
	return daemon_edge(d, "signd", &ipc_table_sign);
}

/* sign - have a handshake signed */
static int
sign(struct task *t, void *arg, const struct tls_key_id *key,
    enum tls_scheme scheme, struct slice tbs, struct buf *ret_sig)
{
	struct tls_server		*s = arg;
	struct msg_sign_tls		 m = { slice_over(key->bytes,
					     sizeof(key->bytes)),
					     (uint32_t)scheme, tbs };
	struct msg_sign_signature	*sig;
	struct arena			 a = ARENA_INIT;
	struct deadline			 d;
	void				*reply;
	int				 r;

	deadline_begin(t, &d, SIGN_LIMIT);
	r = edge_call_again(t, signd(s->daemon), &msg_sign_tls_desc, &m,
	    &msg_sign_signature_desc, &a, &reply);
	r = deadline_end(t, &d, r);
	if (r == 0) {
		sig = reply;
		if (sig->signature.len == 0)
			r = -EACCES;
		else
			buf_add(ret_sig, sig->signature);
	}
	arena_free(&a);
	return r;
}

/* on_changed - signd has other certificates now */
static int
on_changed(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct tls_server *s = arg;

	(void)t;
	(void)c;
	(void)a;
	if (in->desc->number != MSG_sign_changed)
		return -EBADMSG;
	s->stale = true;
	return 0;
}

/* add_certs - the certificates that signd has for the daemon */
static int
add_certs(struct task *t, struct tls_server *s, const char *daemon,
    struct tls_context *ctx, struct diag *diag)
{
	struct msg_sign_certs		 ask = { slice_of(daemon) };
	struct msg_sign_chains		*chains;
	struct arena			 a = ARENA_INIT;
	void				*reply;
	int				 r;

	r = edge_call_again(t, signd(s->daemon), &msg_sign_certs_desc, &ask,
	    &msg_sign_chains_desc, &a, &reply);
	if (r < 0) {
		(void)diag_set(diag, 0, 0, "signd does not answer");
		goto out;
	}
	chains = reply;
	if (chains->certs.n == 0) {
		(void)diag_set(diag, 0, 0, "%.*s", SLICE_ARG(chains->text));
		r = -ENOENT;
	}
	for (size_t i = 0; r == 0 && i < chains->certs.n; i++) {
		const struct msg_cert *cert = &chains->certs.v[i];
		const char *host = cert->host.len == 0 ? NULL :
		    arena_text(&a, cert->host);

		r = tls_context_add_certificate(ctx, host, cert->chain, sign, s,
		    diag);
	}
out:
	arena_free(&a);
	return r;
}

/* add_tickets - the keys that let clients resume at any of our processes */
static int
add_tickets(struct task *t, struct tls_server *s, const char *daemon,
    struct tls_context *ctx)
{
	struct msg_sign_ticket_keys	 ask = { slice_of(daemon) };
	struct tls_ticket_key		 keys[TLS_TICKET_KEYS_MAX];
	struct arena			 a = ARENA_INIT;
	void				*reply;
	size_t				 n = 0;
	int				 r;

	r = edge_call_again(t, signd(s->daemon), &msg_sign_ticket_keys_desc,
	    &ask, &msg_sign_tickets_desc, &a, &reply);
	if (r == 0) {
		struct slice all = ((struct msg_sign_tickets *)reply)->keys;

		for (; all.len >= TICKET_KEY_SIZE && n < COUNT(keys); n++) {
			memcpy(keys[n].name, all.data, 16);
			memcpy(keys[n].hmac, all.data + 16, 32);
			memcpy(keys[n].aes, all.data + 48, 32);
			all = slice_from(all, TICKET_KEY_SIZE);
		}
		tls_context_set_ticket_keys(ctx, keys, n);
		explicit_bzero(keys, sizeof(keys));
	}
	arena_free(&a);
	return r;
}

/* make - a new context */
static int
make(struct task *t, struct tls_server *s, const char *daemon,
    const struct tls_params *params, struct diag *diag)
{
	struct tls_context	*ctx = NULL;
	int			 r;

	if ((r = tls_context_new(params, &ctx, diag)) < 0)
		return r;
	edge_on_message(signd(s->daemon), on_changed, s);
	if ((r = add_certs(t, s, daemon, ctx, diag)) < 0 ||
	    (r = add_tickets(t, s, daemon, ctx)) < 0) {
		tls_context_free(&ctx);
		return r;
	}
	if (s->old != NULL)
		tls_context_free(&s->old);
	s->old = s->ctx;
	s->ctx = ctx;
	s->stale = false;
	return 0;
}

/* tls_server_context - the context to begin a connection with */
int
tls_server_context(struct task *t, struct tls_server *s, struct daemon *d,
    const char *daemon, const struct tls_params *params,
    struct tls_context **ret_ctx, struct diag *diag)
{
	int r = 0;

	s->daemon = d;
	while (s->making && r == 0)
		r = task_sleep(t, 10);
	if (r == 0 && (s->ctx == NULL || s->stale)) {
		s->making = true;
		r = make(t, s, daemon, params, diag);
		s->making = false;
		if (r < 0 && s->ctx != NULL && r != -ECANCELED)
			r = 0;		/* the one we have still serves */
	}
	if (r == 0)
		*ret_ctx = s->ctx;
	return r;
}
