/* SPDX-License-Identifier: ISC */
/*
 * identities: private keys with their certificate chains, read from PEM text.
 * No I/O; the texts come from whoever reads files.
 */
#ifndef SIGND_IDENTITIES_H
#define SIGND_IDENTITIES_H

#include "libtask/tls_key.h"
#include "libutil/buf.h"

struct evp_pkey_st;

#define IDENTITIES_MAX		64	/* of one daemon (ipc_sign.def) */
#define IDENTITY_CHAIN_MAX	262144	/* the same */
#define IDENTITY_CERTS_MAX	20	/* of one chain */

struct signd_identity {
	char			*host;		/* "" the default */
	char			*file;		/* for the log */
	struct buf		 chain;		/* PEM, leaf first */
	struct evp_pkey_st	*key;
	struct tls_key_id	 id;
	int64_t			 not_before;	/* seconds since 1970 */
	int64_t			 not_after;
	int64_t			 noticed;	/* when the log last spoke */
};

struct identities {
	struct signd_identity	*v;
	size_t		 count;
};

/*
 * Add what a text holds: a private key and its certificates, and so on
 * (smtpd_tls_chain_files). -EBADMSG and a sentence if it is anything else; of
 * what was read before the fault all is kept.
 */
MUST_USE int	identities_add_chain(struct identities *s, const char *host,
		    const char *file, struct slice pem, struct diag *diag);
/* add the certificates of one text with the key of another one */
MUST_USE int	identities_add_pair(struct identities *s, const char *host,
		    const char *file, struct slice certs_pem,
		    struct slice key_pem, struct diag *diag);
/* the one with that key, or NULL */
const struct signd_identity	*identities_find(const struct identities *s,
			    struct slice id);
void	identities_free(struct identities *s);
/* does the text hold a private key? */
bool	identities_has_key(struct slice pem);

#endif
