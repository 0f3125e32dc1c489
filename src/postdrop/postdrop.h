/* SPDX-License-Identifier: ISC */
/*
 * postdrop: what its files share. It alone may make files in the drop folder,
 * by its group; the user who runs it is not trusted in anything. It takes the
 * pieces that drop.h tells of from standard input and answers with one line.
 */
#ifndef POSTDROP_POSTDROP_H
#define POSTDROP_POSTDROP_H

#include "libglobal/drop.h"
#include "libmail/status.h"

/* A file that is being written, in the current folder; the status says what
 * went wrong, else its code is 0. */
struct drop_writer {
	int		fd;		/* -1: none */
	char		name[sizeof(DROP_UNFINISHED) + DROP_NAME_LEN];
	struct drop_head head;
	uint64_t	limit;		/* of content; 0: none */
	struct status	refusal;
};

/* make the file. Nothing is done by these once there is a refusal */
void	drop_begin(struct drop_writer *w);
void	drop_envelope(struct drop_writer *w, struct slice envelope);
void	drop_content(struct drop_writer *w, struct slice bytes);
/* have it whole and durable, under its name */
void	drop_commit(struct drop_writer *w);
/* remove what was not committed */
void	drop_done(struct drop_writer *w);

#endif
