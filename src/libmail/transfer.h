/* SPDX-License-Identifier: ISC */
/*
 * transfer: the content transfer encodings of MIME bodies (RFC 2045 6),
 * decoded piece by piece. Lenient, as readers of mail must be; damaged says
 * that something was not as it should be, for those who must not guess
 * (RFC 3516: BINARY is refused then).
 */
#ifndef LIBMAIL_TRANSFER_H
#define LIBMAIL_TRANSFER_H

#include "libmail/facts.h"

struct transfer {
	bool		damaged;
	/* private */
	uint8_t		encoding;	/* enum facts_encoding */
	uint8_t		state;
	uint8_t		have;		/* base64: sextets in bits */
	uint32_t	bits;
	uint32_t	blank_count;	/* quoted-printable: held back */
	char		blanks[76];
};

/* encoding by name (RFC 2045 6.1); the empty name is 7bit */
enum facts_encoding	transfer_encoding_of(struct slice name);

/* ENCODING_OTHER is passed through, like 7bit, 8bit and binary */
void	transfer_init(struct transfer *t, enum facts_encoding encoding);
/* append what this piece decodes to */
void	transfer_decode(struct transfer *t, struct slice in, struct buf *out);
/* the last piece was given: append what was held back */
void	transfer_finish(struct transfer *t, struct buf *out);

#endif
