/* SPDX-License-Identifier: ISC */
/*
 * digest: what the store keeps of a message so that lists, envelopes, body
 * structures and threads are answered without a look at its body. Made once
 * from the content and the facts of its scan, for message_deliver; read back
 * from an email's cache bytes. Used by the delivery of mail and by the IMAP
 * and JMAP sessions.
 */
#ifndef LIBSTORE_DIGEST_H
#define LIBSTORE_DIGEST_H

#include "libmail/envelope.h"
#include "libmail/structure.h"
#include "libstore/message.h"

/* of the cache bytes: changes when the encoding does, or what is put in */
#define DIGEST_VERSION	1

/* content is without the prefix of added fields. Texts live in the arena, or
 * are lent from the content. A structure that is too large to be kept leaves
 * the cache empty (version 0). */
void	digest_make(struct slice content, const struct facts *f,
	    struct arena *a, struct email_facts *ret_facts);
/* the cache bytes alone, however large, for an email that has none */
struct slice	digest_cache(struct slice content, const struct facts *f,
		    struct arena *a);

struct digest {
	uint64_t		content_length;	/* without the prefix */
	struct slice		envelope;	/* record of envelope.h */
	struct slice		structure;	/* record of structure.h */
	struct slice		preview;	/* UTF-8 */
};

/* read the cache bytes of an email; -EBADMSG if they are none, damaged, or of
 * another version: then the body must be scanned again. Lent from them. */
MUST_USE int	digest_parse(uint32_t version, struct slice cache,
		    struct digest *ret_digest);

#endif
