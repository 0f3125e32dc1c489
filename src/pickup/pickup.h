/* SPDX-License-Identifier: ISC */
/*
 * pickup: what its files share. Local users' programs leave messages in the
 * drop folder (libglobal/drop.h); each file is read, its message given to
 * cleanup, and the file removed when cleanup has made the message durable.
 * Whose message it is, the file's owner tells; nothing in the file is believed.
 *
 * A message's queue id is made of its file, so a message that is given to
 * cleanup again, after one of the two has died, is known by its id.
 */
#ifndef PICKUP_PICKUP_H
#define PICKUP_PICKUP_H

#include "libglobal/content_client.h"
#include "libglobal/daemon.h"
#include "libglobal/drop.h"
#include "libglobal/ipc_drop.h"
#include "libmail/queue_id.h"
#include "libmail/scan_data.h"
#include "libmail/status.h"
#include "libutil/hash.h"
#include "pickup/pickup_params.h"

#define PICKUP_RCPTS_MAX	10000
#define PICKUP_PARALLEL		16	/* files at a time */

struct pickup {
	struct daemon		*daemon;
	struct content_pool	 pool;
	int			 folder;	/* -1: not open yet */
	struct signal		 wake;		/* there may be files */
	struct hash		 busy;		/* names of files in work */
	struct hash		 later;		/* names -> when, loop ms */
	int64_t			 soonest;	/* of them */
	int64_t			 started;	/* us since 1970 */
	bool			 dirty;		/* files were removed */
};

/* a file in work; pickup_file.c */
struct drop_file {
	char		name[DROP_NAME_LEN + 1];
	int		fd;		/* -1: not open */
	uint32_t	uid;		/* of its owner */
	int64_t		arrival;	/* us since 1970 */
	uint64_t	at;		/* next byte of content */
	uint64_t	end;
	struct buf	envelope;
	bool		irregular;	/* a link, a pipe ... */
	const char	*why;		/* what is wrong with it */
};

/* a message while it comes in */
struct submission {
	struct arena			 arena;
	struct pickup			*pickup;
	struct daemon			*daemon;
	struct drop_file		 file;
	/* of the parameters, which a reload may change meanwhile */
	uint64_t			 message_limit;
	uint64_t			 header_limit;
	struct slice			 host;
	struct slice			 software;
	struct queue_id			 id;
	const struct msg_drop		*drop;		/* in the arena */
	struct slice			 sender;	/* complete */
	struct msg_rcpt			*rcpts;
	size_t				 rcpt_count;
	size_t				 rcpt_cap;
	size_t				 given;		/* addresses asked for */
	struct smtp_data		 data;
	struct buf			 header;	/* until it is whole */
	struct buf			 kept;		/* for a report */
	size_t				 look_at;	/* its length next time */
	bool				 header_done;
	bool				 again;		/* maybe not the first time */
	uint64_t			 size;
	struct content_channel		*channel;
	struct status			 refusal;	/* code 0: none */
};

/* pickup_folder.c: look for files as long as the daemon lives */
MUST_USE int	pickup_run(struct task *t, struct daemon *d);
/* a connection on public/pickup: somebody has dropped a message */
MUST_USE int	pickup_client(struct task *t, struct daemon *d, int *fd_take,
		    const struct sockaddr_storage *peer, const char *listener);
/* pickup_file.c; all of them may wait for the disk */
/* open a file and read its envelope. -EBADMSG: it is broken, file->why says
 * how; -ENOENT: it is gone */
MUST_USE int	drop_file_open(struct task *t, int folder, uint64_t limit,
		    struct drop_file *f);
/* the next run of its content; *ret_run lives until the next call. 0 at the
 * end, 1, or an error */
MUST_USE int	drop_file_read(struct task *t, struct drop_file *f,
		    struct buf *b);
MUST_USE int	drop_file_remove(struct task *t, int folder,
		    const struct drop_file *f);
/* into the folder of broken files; what is no file is removed */
MUST_USE int	drop_file_set_aside(struct task *t, int folder,
		    const struct drop_file *f);
void	drop_file_close(struct drop_file *f);
/* pickup_submit.c: a file, from its name to its end */
enum drop_id { DROP_ID_MESSAGE, DROP_ID_REPORT };
struct queue_id	drop_file_id(const struct drop_file *f, enum drop_id what);
MUST_USE int	pickup_submit(struct task *t, struct pickup *p,
		    const char *name);
/* pickup_message.c: errors are those of the task; what is wrong with the
 * message is its refusal */
MUST_USE int	submission_begin(struct task *t, struct submission *s);
MUST_USE int	submission_data(struct task *t, struct submission *s,
		    struct slice bytes);
/* what became of it */
MUST_USE int	submission_end(struct task *t, struct submission *s,
		    struct status *ret_status);
/* note why the message is not taken; the first reason counts */
void	submission_refuse(struct submission *s, const struct status *why);
/* pickup_rcpt.c */
/* the sender, completed and rewritten */
MUST_USE int	pickup_sender(struct task *t, struct submission *s);
/* one recipient as the user gave it */
MUST_USE int	pickup_add_rcpt(struct task *t, struct submission *s,
		    const struct msg_drop_rcpt *rcpt);
/* recipients of the header (sendmail -t) */
MUST_USE int	pickup_extract(struct task *t, struct submission *s,
		    struct slice header);
/* pickup_return.c: tell the sender that the message was refused for good */
MUST_USE int	pickup_return(struct task *t, struct submission *s,
		    const struct status *why);

#endif
