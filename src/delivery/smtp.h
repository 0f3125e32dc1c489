/* SPDX-License-Identifier: ISC */
/*
 * smtp: what its files share. qmgr asks for one attempt: these recipients of a
 * message, over this next hop. An attempt is one task; it goes through the
 * hosts of the next hop, a session each, until every recipient has a result
 * that another host would not change.
 */
#ifndef DELIVERY_SMTP_H
#define DELIVERY_SMTP_H

#include "delivery/smtp_params.h"
#include "libglobal/daemon.h"
#include "libglobal/ipc_delivery.h"
#include "libmail/addr.h"
#include "libmail/facts.h"
#include "libmail/reply.h"
#include "libmail/status.h"
#include "libtask/memfile.h"
#include "libtask/stream.h"

struct tls_context;

/* what all attempts of the process share */
struct smtp {
	struct daemon		*daemon;
	struct tls_context	*tls;		/* NULL: level none */
	struct list		 idle;		/* sessions, latest first */
	size_t			 idle_count;
	struct signal		 parked;	/* an idle session came */
};

/* a next hop, taken apart (smtp_hop.c) */
struct smtp_hop {
	struct slice	text;		/* as routing gave it */
	struct slice	host;		/* name or address; for unix: path */
	uint16_t	port;
	bool		use_mx;
	bool		lmtp;
	bool		is_unix;
	bool		detect_loop;	/* the server would be one like us */
};

/* an address to try */
struct smtp_host {
	struct sockaddr_storage	addr;
	socklen_t		len;
	struct slice		name;
	uint32_t		preference;
	uint32_t		order;		/* among equals */
};

struct smtp_session {
	struct list		 link;		/* idle */
	struct smtp		*smtp;
	struct stream		 stream;
	struct reply		 reply;		/* the last one */
	struct reply_ehlo	 ehlo;
	struct sockaddr_storage	 addr;		/* of the host, as resolved */
	char			 name[256];	/* of the host */
	char			 who[400];	/* host[address] */
	char			 relay[400];	/* host[address]:port */
	char			*key;		/* next hop it is kept for */
	const char		*stage;		/* "sending MAIL FROM" */
	int64_t			 opened;	/* ms */
	int64_t			 expires;	/* ms, while idle */
	uint32_t		 uses;
	bool			 lmtp;
	bool			 tls;
	bool			 reused;
	bool			 broken;	/* only to be closed */
};

/* one recipient of an attempt */
struct smtp_target {
	const struct msg_rcpt	*rcpt;
	struct addr		 addr;
	struct msg_rcpt_result	 result;	/* the latest; texts in the
						 * attempt's arena */
	bool			 done;		/* no host can change it */
	bool			 open;		/* no result by this server */
	bool			 accepted;	/* by the present server */
};

struct smtp_attempt {
	struct smtp			*smtp;
	struct daemon			*daemon;
	const struct smtp_params	*p;
	struct arena			*arena;
	struct log			 log;
	const struct msg_envelope	*e;
	struct addr			 sender;
	struct facts			 facts;
	struct smtp_hop			 hop;
	struct smtp_host		*hosts;
	size_t				 host_count;
	struct smtp_target		*targets;
	size_t				 count;
	uint64_t			 size;		/* as sent */
	uint64_t			 offset;	/* of content in fd */
	enum memfile_kind		 kind;
	int				 fd;		/* lent */
	struct slice			 reached;	/* relay of the last
							 * connection */
	bool				 needs_utf8;
	bool				 is_8bit;
	uint32_t			 connect_ms;
	uint32_t			 transfer_ms;
};

/* smtp_hop.c: -EBADMSG it is no next hop */
MUST_USE int	smtp_hop_parse(struct slice nexthop, bool lmtp,
		    const struct smtp_params *p, struct smtp_hop *ret_hop);
MUST_USE int	smtp_port_parse(struct slice text, uint16_t *ret_port);
bool	smtp_is_loopback(const struct sockaddr_storage *addr);

/* smtp_resolve.c: the hosts to try, in order; none if the status says why.
 * An error is -ECANCELED. */
MUST_USE int	smtp_resolve(struct task *t, struct smtp_attempt *a,
		    struct status *ret_bad);

/* smtp_session.c */
/* a session that is ready for MAIL. Without one: 0 < result, and the status
 * says why not; *ret_no_tls: TLS was the trouble, try without. */
MUST_USE int	smtp_session_open(struct task *t, struct smtp_attempt *a,
		    const struct smtp_host *host, bool plain,
		    struct smtp_session **ret_session, struct status *ret_bad,
		    bool *ret_no_tls);
void	smtp_session_free(struct smtp_session **take);

/* smtp_idle.c */
/* a kept session for that hop, tried with RSET; NULL if there is none */
MUST_USE int	smtp_idle_take(struct task *t, struct smtp_attempt *a,
		    struct smtp_session **ret_session);
/* keep it, or say QUIT */
void	smtp_idle_put(struct task *t, struct smtp_attempt *a,
	    struct smtp_session **take);
/* say QUIT to those whose time is over; as long as the daemon lives */
MUST_USE int	smtp_idle_run(struct task *t, struct daemon *d);

/* smtp_chat.c: the deadline is the parameter's for that step */
MUST_USE int	smtp_say(struct task *t, struct smtp_session *s,
		    int64_t limit, const char *stage, const char *format, ...)
		    __attribute__((format(printf, 5, 6)));
/* the next reply, in s->reply */
MUST_USE int	smtp_hear(struct task *t, struct smtp_session *s,
		    int64_t limit, const char *stage);
/* what a failure of smtp_say or smtp_hear means for the mail */
struct status	smtp_failure(const struct smtp_session *s, int error);
/* "host H said: 550 5.1.1 text (in reply to RCPT TO command)" */
struct status	smtp_said(const struct smtp_session *s, const char *command);

/* smtp_transfer.c: one transaction for all that is not done; the results are
 * in the targets. An error is -ECANCELED. */
MUST_USE int	smtp_transfer(struct task *t, struct smtp_attempt *a,
		    struct smtp_session *s);

/* smtp_recode.c */
enum { SMTP_EDIT_REPLACE, SMTP_EDIT_QP };
struct smtp_edit {		/* of the content; in order, none overlap */
	uint64_t	offset;
	uint64_t	length;		/* bytes that go away or are encoded */
	struct slice	text;		/* what comes instead */
	int		kind;
};
struct smtp_edits {
	struct smtp_edit	*v;
	size_t			 n;
};
/* what makes an 8-bit message one of 7 bits */
MUST_USE int	smtp_recode(struct task *t, struct smtp_attempt *a,
		    struct smtp_edits *ret_edits);
/* quoted-printable (RFC 2045 6.7), in runs */
struct smtp_qp {
	unsigned	column;
	int		blank;		/* held back: its line may end */
	bool		cr;		/* held back, too */
};
#define SMTP_QP_INIT	{ 0, -1, false }
void	smtp_qp_add(struct smtp_qp *q, struct slice in, struct buf *out);
void	smtp_qp_finish(struct smtp_qp *q, struct buf *out);

/* smtp_content.c: the message and its final dot */
/* bytes of the content, on a worker if it is on a disk */
MUST_USE int	smtp_content_read(struct task *t, const struct smtp_attempt *a,
		    uint64_t at, void *data, size_t len);
MUST_USE int	smtp_content_send(struct task *t, struct smtp_attempt *a,
		    struct smtp_session *s);

/* smtp_attempt.c */
/* a result for one target; another host may still better a 4xx */
void	smtp_target_set(struct smtp_attempt *a, struct smtp_target *target,
	    const struct smtp_session *s, const struct status *status,
	    bool remote);
/* one for all that are not done; site: the hop is at fault */
void	smtp_attempt_fail(struct smtp_attempt *a, const struct smtp_session *s,
	    const struct status *status, bool remote, bool site);
MUST_USE int	smtp_serve(struct task *t, struct daemon *d, int *fd_take,
		    const struct daemon_caller *who);

#endif
