/* SPDX-License-Identifier: ISC */
/*
 * tls: TLS on a connected, non-blocking socket. A tls_context is made once
 * from the configuration, before the sandbox closes the file system; a struct
 * tls is one connection. Nothing here waits for the peer: calls return
 * -EAGAIN, and tls_wants_write says for what. struct stream turns that into a
 * wait of its task. Only tls_handshake takes a task, because the private key
 * may be in another process (tls_key.h).
 *
 * An idle connection costs about 14 KiB: buffers are released between records.
 * A server makes none before its client speaks (stream_start_tls).
 * A connection borrows its descriptor until tls_free, and keeps its context
 * alive: who has a new context (other certificates) frees the old one at once.
 */
#ifndef LIBTASK_TLS_H
#define LIBTASK_TLS_H

#include <sys/types.h>

#include "libtask/tls_key.h"

struct tls;
struct tls_context;

enum tls_role {
	TLS_SERVER,
	TLS_CLIENT,
};

/*
 * What a context is made of. Strings are spelled as in main.cf; NULL or ""
 * where a comment gives a default. Lent for the call.
 */
struct tls_params {
	enum tls_role	 role;
	const char	*protocols;	/* ">=TLSv1.2", "!SSLv3, !TLSv1"; all */
	const char	*ciphers;	/* a grade of tls_grades.def; medium */
	const char	*cipher_list;	/* OpenSSL's, instead of a grade */
	const char	*exclude_ciphers; /* names to leave out */
	const char	*groups;	/* of key exchange; the usual five */
	const char	*ssl_options;	/* names of tls_options.def, 0x.. */
	const char	*alpn;		/* names to agree on, "imap"; none */
	bool		 prefer_server_order;

	/* a client's trust (a server verifies no client certificates) */
	const char	*ca_file;	/* PEM file */
	const char	*ca_path;	/* folder of PEM files; read at once */
	struct slice	 ca_pem;	/* PEM text */

	/* a server's session tickets are good among contexts of this name
	 * that share ticket keys */
	const char	*session_name;
};

/*
 * Load what OpenSSL reads from files: to be called before the sandbox by every
 * process that makes a context after it. A second call does nothing.
 */
void		tls_library_init(void);

/* a context, or -EBADMSG with a sentence for whoever wrote the parameters */
MUST_USE int	tls_context_new(const struct tls_params *p,
		    struct tls_context **ret_ctx, struct diag *diag);
/* release it, as far as its owner is concerned; empties the pointer */
void		tls_context_free(struct tls_context **ctx);

/*
 * Give a server a certificate: a PEM chain, leaf first. Its key is held by
 * whoever answers sign(arg). host NULL: for clients that name none of the
 * other hosts; at least one is needed, one for each kind of key is possible.
 * Otherwise for clients that ask for that host (SNI), or, with a leading dot,
 * for any host below that domain.
 */
MUST_USE int	tls_context_add_certificate(struct tls_context *ctx,
		    const char *host, struct slice chain_pem,
		    tls_sign_fn *sign, void *arg, struct diag *diag);
/* the same with the private key in this process: for tools and tests */
MUST_USE int	tls_context_add_identity(struct tls_context *ctx,
		    const char *host, struct slice chain_pem,
		    struct slice key_pem, struct diag *diag);

/*
 * Keys that seal session tickets, the same in all processes of a service. The
 * first seals; all of them open. Calling again rotates. Without any there is
 * no resumption.
 */
#define TLS_TICKET_KEYS_MAX	3
struct tls_ticket_key {
	unsigned char	name[16];
	unsigned char	hmac[32];
	unsigned char	aes[32];
};
void		tls_context_set_ticket_keys(struct tls_context *ctx,
		    const struct tls_ticket_key *keys, size_t count);

/* how sure a client wants to be (smtp_tls_security_level) */
enum tls_level {
	TLS_LEVEL_NONE,		/* no TLS: no connection can be made of it */
	TLS_LEVEL_MAY,		/* whatever certificate the server shows */
	TLS_LEVEL_ENCRYPT,	/* the same; the caller has no fall-back */
	TLS_LEVEL_VERIFY,	/* a trusted one with one of the names */
	TLS_LEVEL_SECURE,	/* the same; names do not come from the DNS */
};

/* the level of that name in *ret_level; -EBADMSG if there is none */
MUST_USE int	tls_level_parse(struct slice name, enum tls_level *ret_level);

struct tls_peer {
	enum tls_level		 level;
	const char		*sni;		/* NULL: none is sent */
	/* names the certificate may have: "example.com", or ".example.com"
	 * for any host below it */
	const struct slice	*names;
	size_t			 name_count;
};

/*
 * A connection on fd, which must be non-blocking; no byte is sent yet. A
 * client says whom it expects, a server passes NULL. plaintext_left is how
 * many bytes have been read from this connection and not been used: they came
 * before TLS and so may be an attacker's. If there are any, -EPROTO: the
 * connection must end (RFC 3207 6).
 */
MUST_USE int	tls_new(struct tls_context *ctx, int fd, size_t plaintext_left,
		    const struct tls_peer *peer, struct tls **ret_tls);
/* release it, without a goodbye; the socket stays open. Empties the pointer */
void		tls_free(struct tls **tls);

/*
 * Go on with the handshake until it is done (0). -EAGAIN: wait, call again.
 * -EKEYREJECTED: the server's certificate is not what the level asks for;
 * -EPROTO: TLS failed (tls_error_text says how); -ECONNRESET: the peer is
 * gone; or what the sign function returned.
 */
MUST_USE int	tls_handshake(struct task *t, struct tls *tls);

/*
 * Read or write some; -EAGAIN: wait, then call again (a write with the same
 * bytes or more of them). 0 bytes read: the peer closed its side in due form;
 * a connection that just ends is -ECONNRESET. Always read until -EAGAIN before
 * waiting: bytes may be in hand that the kernel no longer announces.
 */
MUST_USE ssize_t	tls_read(struct tls *tls, void *data, size_t len);
MUST_USE ssize_t	tls_write(struct tls *tls, struct slice bytes);
/* tell the peer that we send no more, if the socket takes it now; its own
 * goodbye is not waited for */
void		tls_close_notify(struct tls *tls);

/* does the call that returned -EAGAIN wait for the socket to take bytes? else
 * it waits for bytes to come */
bool		tls_wants_write(const struct tls *tls);
/* can tls_read return bytes without the socket? */
bool		tls_pending(const struct tls *tls);
/* why the last call failed, for the log; "" if it did not */
const char	*tls_error_text(const struct tls *tls);

/* --- facts, once the handshake is done */

/* "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange
 * X25519 server-signature ECDSA (prime256v1) server-digest SHA256" */
void		tls_format_summary(struct buf *out, const struct tls *tls);

struct tls_info {
	const char	*protocol;		/* "TLSv1.3" */
	const char	*cipher;		/* "TLS_AES_256_GCM_SHA384" */
	int		 cipher_bits;		/* used */
	int		 algorithm_bits;	/* of the algorithm */
	bool		 is_resumed;
};
struct tls_info	tls_info(const struct tls *tls);

/* the server's certificate, as a client sees it */
enum tls_trust {
	TLS_TRUST_NONE,		/* there was none ("Anonymous") */
	TLS_TRUST_UNKNOWN,	/* it leads to no authority we trust */
	TLS_TRUST_CA,		/* trusted, under another name */
	TLS_TRUST_NAME,		/* trusted and with a name that was asked for */
};
enum tls_trust	tls_peer_trust(const struct tls *tls);
/* "Anonymous", "Untrusted", "Trusted", "Verified" */
const char	*tls_trust_name(enum tls_trust trust);
/* why it is not trusted; "" if it is */
const char	*tls_peer_error(const struct tls *tls);

/* the host name that the client asked for (SNI); "" if none */
const char	*tls_server_name(const struct tls *tls);
/* the protocol agreed on (ALPN); empty if none */
struct slice	tls_alpn(const struct tls *tls);

/* channel bindings for SASL */
enum tls_binding {
	TLS_BINDING_EXPORTER,	/* tls-exporter, RFC 9266 */
	TLS_BINDING_UNIQUE,	/* tls-unique, RFC 5929 3; not for TLS 1.3 */
	TLS_BINDING_END_POINT,	/* tls-server-end-point, RFC 5929 4 */
};
/* the bytes to bind to, appended; -ENOTSUP if this connection has none */
MUST_USE int	tls_channel_binding(const struct tls *tls,
		    enum tls_binding binding, struct buf *ret_bytes);

#endif
