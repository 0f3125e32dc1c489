/* SPDX-License-Identifier: ISC */
/*
 * front: the half of IMAP that faces the network. It has the connection, TLS,
 * and the few commands before login; it never decides who somebody is (authd
 * does), and never sees a mailbox. After login it relays bytes between the
 * client and the session in the account's process.
 *
 * A client is one task, and one more while its session is awake. While it
 * sleeps there is this struct, the connection, and nothing else.
 */
#ifndef IMAPD_FRONT_CLIENT_H
#define IMAPD_FRONT_CLIENT_H

#include "imapd/imapd_params.h"
#include "libglobal/daemon.h"
#include "libglobal/tls_server.h"
#include "libmail/imap_parse.h"
#include "libmail/queue_id.h"
#include "libtask/stream.h"
#include "libutil/hash.h"

#define FRONT_HANDLE_MAX	64

/* what all clients of the process share */
struct imapd {
	struct daemon		*daemon;
	struct queue_id_source	 ids;
	struct hash		 addresses;	/* connections of each */
	struct hash		 sleepers;	/* struct front, by handle */
	struct list		 clients;	/* struct front */
	struct tls_server	 tls;
	size_t			 client_max;	/* by descriptors; 0: none */
	size_t			 most;		/* clients since the last look */
	bool			 no_tls;	/* said so once already */
};

struct front {
	struct list		 link;		/* in imapd.clients */
	struct imapd		*imapd;
	struct daemon		*daemon;
	const struct imapd_params *p;
	struct stream		 stream;
	struct log		 log;
	struct session_id	 session;
	struct signal		 event;		/* look what is new */
	int64_t			 spoke;		/* last; loop ms */
	char			*login;		/* NULL: not logged in */
	const char		*why;		/* it ended, for the log */
	uint64_t		 store;		/* edge the handle is good on */
	size_t			 handle_len;
	char			 handle[FRONT_HANDLE_MAX];
	char			 address[64];
	unsigned		 failures;	/* logins */
	unsigned		 tries;		/* to begin the session */
	int64_t			 busy_since;	/* its account is; 0: it is not */
	int64_t			 pause;		/* ms to the next try, then */
	unsigned		 commands;	/* before login */
	bool			 tls;
	bool			 may_tls;	/* STARTTLS is offered */
	bool			 quit;
	bool			 counted;	/* in imapd.addresses */
	bool			 woken;		/* stored says: resume */
	bool			 void_handle;	/* stored was restarted */
};

/* front_client.c: a client, from connection to goodbye */
MUST_USE int	front_client(struct task *t, struct daemon *d, int *fd_take,
		    const struct sockaddr_storage *peer, const char *listener);
/* one line to the client, collected */
MUST_USE int	front_say(struct task *t, struct front *f, const char *format,
		    ...) __attribute__((format(printf, 3, 4)));

/* front_command.c: commands until it is logged in or gone. *ret_channel is
 * the front's end of its session then, else -1 */
MUST_USE int	front_commands(struct task *t, struct front *f,
		    int *ret_channel);
/* " CAPABILITY ..." as of now, appended */
void	front_format_capabilities(struct front *f, struct buf *out);

/* front_auth.c: LOGIN and AUTHENTICATE, answered; *ret_channel as above */
MUST_USE int	front_auth(struct task *t, struct front *f,
		    const struct imap_command *cmd, struct arena *a,
		    int *ret_channel);
/* may a password be sent on this connection? */
bool	front_may_login(const struct front *f);

/* front_tls.c */
/* have a context; sets may_tls */
MUST_USE int	front_prepare_tls(struct task *t, struct front *f);
MUST_USE int	front_start_tls(struct task *t, struct front *f);
MUST_USE int	front_starttls(struct task *t, struct front *f,
		    struct slice tag);

/* front_relay.c: bytes both ways until the session or the client ends, or the
 * session sleeps */
enum front_end {
	FRONT_ENDED,		/* the session said goodbye */
	FRONT_GONE,		/* the client has gone */
	FRONT_ASLEEP,		/* under f->handle */
	FRONT_LOST,		/* the session broke */
	FRONT_NEVER_BEGAN,	/* its process ended before: resume it */
	FRONT_BUSY,		/* there is no room: resume it in a moment */
};
MUST_USE int	front_relay(struct task *t, struct front *f, int *fd_take,
		    enum front_end *ret_end);

/* front_sleep.c */
/* wait for the client, or for mail; *ret_channel is a new end when the
 * session is awake again, -1 when it is over (told to the client) */
MUST_USE int	front_asleep(struct task *t, struct front *f,
		    int *ret_channel);
/* the same for a session whose process ended before it began */
MUST_USE int	front_try_again(struct task *t, struct front *f,
		    int *ret_channel);
/* the same for one whose account had no room for it */
MUST_USE int	front_take_turns(struct task *t, struct front *f,
		    int *ret_channel);
/* its handle may be used to wake it from now on; and no more */
void	front_note_handle(struct front *f, struct slice handle);
void	front_drop_handle(struct front *f);
/* the same, and stored needs to keep nothing of it */
void	front_forget(struct front *f);
/* what stored says unasked */
MUST_USE int	front_on_store(struct task *t, struct ipc_conn *c,
		    struct ipc_in *in, struct arena *a, void *arg);
/* a task of the daemon: notice a stored that was restarted */
MUST_USE int	front_watch_store(struct task *t, struct imapd *im);

#endif
