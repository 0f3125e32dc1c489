/* SPDX-License-Identifier: ISC */
/*
 * smtpd: what its files share. A client is one task from greeting to goodbye;
 * a transaction begins with MAIL and ends with the answer to the content, or
 * with RSET and its like, always through txn_reset.
 */
#ifndef SMTPD_SMTPD_H
#define SMTPD_SMTPD_H

#include "libglobal/content_client.h"
#include "libglobal/daemon.h"
#include "libglobal/tls_server.h"
#include "libmail/scan_data.h"
#include "libmail/smtp.h"
#include "libmail/queue_id.h"
#include "libtask/stream.h"
#include "libutil/hash.h"
#include "smtpd/smtpd_params.h"

enum smtpd_state {
	IN_START	= 1 << 0,	/* before HELO */
	IN_GREETED	= 1 << 1,
	IN_MAIL		= 1 << 2,	/* after MAIL */
	IN_RCPT		= 1 << 3,	/* after an accepted RCPT */
	IN_BDAT		= 1 << 4,	/* between BDAT chunks */
	IN_ANY		= 31,
};

/* what all sessions of the process share */
struct smtpd {
	struct daemon		*daemon;
	struct queue_id_source	 ids;
	struct content_pool	 pool;		/* channels to cleanup */
	struct hash		 addresses;	/* connections of each */
	struct tls_server	 tls;
	uint64_t		 rcpt_bytes;	/* of all transactions */
	bool			 no_tls;	/* said so once already */
};

/* an accepted RCPT */
struct smtpd_named {
	struct slice	text;		/* the address as given */
	uint32_t	first;		/* of its targets in rcpts */
	uint32_t	count;
};

struct smtpd_txn {
	struct arena		 arena;
	struct queue_id		 id;
	struct smtp_mail	 mail;
	struct slice		 sender;	/* its text; empty: <> */
	struct slice		 rewritten;	/* sender, as mapd has it */
	int64_t			 arrival;	/* us */
	struct msg_rcpt		*rcpts;		/* targets of all recipients */
	size_t			 rcpt_count;
	size_t			 rcpt_cap;
	size_t			 rcpt_bytes;	/* what they take, about */
	struct smtpd_named	*named;		/* those accepted, in order */
	size_t			 named_cap;
	uint32_t		 accepted;	/* RCPT commands */
	uint32_t		 overshoot;	/* over smtpd_recipient_limit */
	struct content_channel	*channel;	/* while content comes */
	struct smtp_data	 data;
	uint64_t		 size;		/* of the content so far */
	bool			 too_large;
	bool			 broken;	/* cleanup is gone */
};

struct smtpd_taken {
	int64_t	taken;
	char	id[16];
};

/* the messages that the client was told are taken, until it has spoken again
 * and so shown that it heard that */
struct smtpd_unheard {
	struct smtpd_taken	*v;
	size_t			 count;
	size_t			 cap;
};

struct smtpd_client {
	struct smtpd		*smtpd;
	struct daemon		*daemon;
	const struct smtpd_params *p;
	struct stream		 stream;
	struct log		 log;
	struct smtpd_txn	 txn;
	enum smtpd_state	 state;
	struct session_id	 session;
	char			 address[64];	/* as text */
	char			 name[256];	/* verified, or unknown */
	char			 who[324];	/* name[address] */
	char			 helo[256];
	char			 login[321];
	char			 mechanism[33];
	const char		*after;		/* the last verb */
	uint32_t		 given[SMTP_VERB_COUNT];
	uint32_t		 accepted[SMTP_VERB_COUNT];
	struct smtpd_unheard	 unheard;
	uint32_t		 errors;
	uint32_t		 junk;
	bool			 esmtp;
	bool			 tls;
	bool			 quit;
	bool			 through;
	bool			 lmtp;		/* smtpd_protocol = lmtp */
	bool			 counted;	/* in smtpd->addresses */
};

/* smtpd_reply.c: collected; written when the client must see them */
MUST_USE int	smtpd_reply(struct task *t, struct smtpd_client *c,
		    unsigned code, const char *format, ...)
		    __attribute__((format(printf, 4, 5)));
/* a refusal: counts as an error, and is logged */
MUST_USE int	smtpd_refuse(struct task *t, struct smtpd_client *c,
		    const char *stage, struct slice rcpt,
		    const struct status *s);
/* an answer that another daemon could not be asked for: 451 */
MUST_USE int	smtpd_trouble(struct task *t, struct smtpd_client *c,
		    const char *stage, const char *what, int error);
struct status	smtpd_trouble_status(const struct smtpd_client *c,
		    const char *what, int error);
struct slice	smtpd_proto(const struct smtpd_client *c);
unsigned	smtpd_received_bits(const struct smtpd_client *c);
/* smtpd_session.c */
MUST_USE int	smtpd_client(struct task *t, struct daemon *d, int *fd_take,
		    const struct sockaddr_storage *peer, const char *listener);
/* smtpd_cmds.c */
MUST_USE int	smtpd_command(struct task *t, struct smtpd_client *c,
		    struct slice line);
/* smtpd_hello.c */
MUST_USE int	cmd_ehlo(struct task *t, struct smtpd_client *c, struct slice args);
MUST_USE int	cmd_lhlo(struct task *t, struct smtpd_client *c, struct slice args);
MUST_USE int	cmd_helo(struct task *t, struct smtpd_client *c, struct slice args);
/* smtpd_txn.c */
void	txn_reset(struct smtpd_client *c);
MUST_USE int	cmd_mail(struct task *t, struct smtpd_client *c, struct slice args);
MUST_USE int	cmd_rcpt(struct task *t, struct smtpd_client *c, struct slice args);
/* smtpd_each.c: the end of a message with PRDR; s: the answer for all */
MUST_USE int	smtpd_answer_each(struct task *t, struct smtpd_client *c,
		    const char *stage, const struct content_answers *answers,
		    const struct status *s);
/* whose targets the one with that number has; see x->named */
const struct smtpd_named	*smtpd_targets_of(const struct smtpd_txn *x,
				    size_t i);
/* smtpd_unheard.c: messages that may come again */
void	unheard_note(struct smtpd_client *c, const struct status *s,
	    const struct content_answers *answers);
/* a line is to be read, and was: was anything in it sent since? */
bool	unheard_needs_input(const struct smtpd_client *c);
/* it was */
void	unheard_clear(struct smtpd_client *c);
/* the session is over */
void	unheard_tell(struct task *t, struct smtpd_client *c);
/* smtpd_lmtp.c */
/* 1: this client may speak LMTP with us; 0: not */
MUST_USE int	lmtp_may_speak(struct task *t, struct smtpd_client *c);
/* the end of a message; without answers s is for all */
MUST_USE int	lmtp_answer_each(struct task *t, struct smtpd_client *c,
		    const char *stage, const struct content_answers *answers,
		    const struct status *s);
/* smtpd_content.c */
MUST_USE int	cmd_data(struct task *t, struct smtpd_client *c, struct slice args);
MUST_USE int	cmd_bdat(struct task *t, struct smtpd_client *c, struct slice args);
MUST_USE int	smtpd_discard_chunk(struct task *t, struct smtpd_client *c,
		    struct slice args);
/* smtpd_auth.c */
MUST_USE int	cmd_auth(struct task *t, struct smtpd_client *c, struct slice args);
/* smtpd_tls.c */
MUST_USE int	cmd_starttls(struct task *t, struct smtpd_client *c,
		    struct slice args);
MUST_USE int	smtpd_start_tls(struct task *t, struct smtpd_client *c);
bool	smtpd_offers_tls(const struct smtpd_client *c);
/* smtpd_peer.c */
MUST_USE int	smtpd_identify(struct task *t, struct smtpd_client *c,
		    const struct sockaddr_storage *peer);

#endif
