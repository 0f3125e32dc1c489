/* SPDX-License-Identifier: ISC */
/*
 * scan_data: the framing of message content on an SMTP or LMTP connection,
 * both ways. Whoever reads DATA or BDAT decodes here; whoever sends DATA
 * stuffs here. It owns nothing: pieces are lent from the input (or from
 * static bytes), so the caller writes them without a copy.
 *
 * Decoding promises, wherever the input is cut into chunks:
 * - only CRLF.CRLF ends the data (RFC 5321 4.1.1.4); the CRLF of the DATA
 *   command counts as the first. No LF.LF, LF.CRLF, CRLF.LF, CR.CR and no
 *   other sequence does; what looks like one stays content;
 * - what comes out has no CR and no LF but in CRLF: a bare LF becomes CRLF, a
 *   run of CR before an LF becomes one, any other run of CR a space;
 * - what follows the final dot is left in the cursor.
 * All settings of smtpd_forbid_bare_newline decode alike; bare_lf and bare_cr
 * tell whether the caller must note ("note") or refuse ("reject") it.
 */
#ifndef LIBMAIL_SCAN_DATA_H
#define LIBMAIL_SCAN_DATA_H

#include "libutil/cursor.h"

enum smtp_data_framing {
	SMTP_DATA_DOTS,		/* DATA: dots are stuffed, a dot ends it */
	SMTP_DATA_PLAIN,	/* BDAT, files: the caller knows the end */
};

struct smtp_data {
	uint64_t	bare_lf;	/* LF without CR, so far */
	uint64_t	bare_cr;	/* CR without LF, so far */
	bool		done;		/* the final dot was seen */
	/* private */
	uint8_t		state;
	bool		dots;
	bool		after_crlf;	/* the line before ended in CR LF */
	bool		cr_run;		/* more than one CR is held back */
	struct slice	held;		/* a piece to give out next */
};

void	smtp_data_init(struct smtp_data *d, enum smtp_data_framing framing);
/* the next piece of content; false when the input is used up or the data is
 * done. A piece lives as long as the input it came from. */
bool	smtp_data_next(struct smtp_data *d, struct cursor *in,
	    struct slice *ret_piece);
/* for SMTP_DATA_PLAIN, after the last byte: what is missing so that content
 * ends with CRLF; may be empty, always so when there was no content */
struct slice	smtp_data_finish(struct smtp_data *d);

/* The other way: content in wire form, given in any chunks, to DATA. */
struct smtp_stuff {
	bool	in_line;	/* what was sent last did not end a line */
};

#define SMTP_STUFF_INIT	{ false }

/* the next piece to send; false when the input is used up */
bool	smtp_stuff_next(struct smtp_stuff *s, struct cursor *in,
	    struct slice *ret_piece);
/* the end of data: ".CRLF", with a CRLF before it where one is missing */
struct slice	smtp_stuff_finish(const struct smtp_stuff *s);

#endif
