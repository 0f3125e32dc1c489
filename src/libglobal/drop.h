/* SPDX-License-Identifier: ISC */
/*
 * drop: the files of the drop folder, queue/maildrop, by which local users'
 * programs submit mail. postdrop writes them, pickup reads them; nobody else
 * may do either: the folder is pickup's, its group (that of postdrop) may make
 * files and cannot list them.
 *
 *	 0  8	DROP_MAGIC
 *	 8  4	length of the envelope, little endian
 *	12  4	0
 *	16  8	length of the content
 *	24	the envelope (ipc_drop.def), then the content as it was given:
 *		lines end in LF or CRLF
 *
 * While it is written a file's name begins with DROP_UNFINISHED. It gets its
 * own name, DROP_NAME_LEN random digits, when it is whole and flushed.
 */
#ifndef LIBGLOBAL_DROP_H
#define LIBGLOBAL_DROP_H

#include "libutil/buf.h"

#define DROP_MAGIC		"BaridDr1"
#define DROP_HEAD_SIZE		24
#define DROP_NAME_LEN		16
#define DROP_UNFINISHED		"new."
#define DROP_CORRUPT		"corrupt"	/* folder of broken files */
#define DROP_ENVELOPE_MAX	((size_t)4 << 20)

/* a file's head */
struct drop_head {
	uint32_t	envelope;	/* bytes */
	uint64_t	content;
};

void	drop_format_head(struct buf *out, const struct drop_head *h);
/* -EBADMSG: it is none, or holds too long an envelope */
MUST_USE int	drop_parse_head(struct slice in, struct drop_head *ret_head);
/* is it the name of a file that is whole? */
bool	drop_is_name(struct slice name);

/*
 * What a program says to postdrop on its standard input: each piece a length
 * (four bytes, little endian) and so many bytes. The first is the envelope,
 * the others are content, an empty one is the end. postdrop answers with one
 * line, "code enhanced text", as an SMTP reply.
 */
#define DROP_PIECE_MAX		((size_t)64 << 10)	/* of content */

#endif
