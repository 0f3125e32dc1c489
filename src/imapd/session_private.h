/* SPDX-License-Identifier: ISC */
/*
 * What the files of an IMAP session share. A command's handler is named in
 * libmail/imap_cmds.def: it writes its untagged responses, sets the tagged
 * one if it is not OK, and returns a negative errno only if the connection
 * must end. session.c then reports what changed in the mailbox and writes
 * the tagged response.
 */
#ifndef IMAPD_SESSION_PRIVATE_H
#define IMAPD_SESSION_PRIVATE_H

#include "imapd/session.h"
#include "libmail/imap_format.h"
#include "libmail/imap_parse.h"
#include "libstore/mailbox.h"
#include "libstore/message.h"
#include "libstore/view.h"
#include "libtask/work.h"

#define SESSION_BATCH		128	/* messages handled between yields */
#define SESSION_RECENT_MAX	16	/* ranges of \Recent messages */
#define SESSION_OUT_MAX		((size_t)8192)	/* composed, then written */
#define SESSION_SEGMENTS_MAX	512	/* literals in one command */

struct shared_mailbox;

/* where a session waits */
enum session_waiting {
	SESSION_BUSY,
	SESSION_WAITS_COMMAND,
	SESSION_WAITS_IDLE,
};

/* UIDs that are \Recent to this session */
struct session_recent {
	struct uid_range	ranges[SESSION_RECENT_MAX];
	size_t			count;
};

/* the selected mailbox */
struct session_selected {
	struct mailbox_view	*view;		/* NULL: none is selected */
	uint32_t		 mailbox;
	bool			 read_only;
	uint64_t		 keywords_told;	/* bits named in FLAGS */
	uint16_t		 table_told;	/* so many of the account's
						 * keywords there were then */
	struct session_recent	 recent;
	struct shared_mailbox	*shared;
};

struct imap_session {
	struct imap_session_setup	 setup;
	struct account			*account;	/* of the setup */
	struct stream			*stream;
	const struct imap_session_params *params;
	struct log			 log;

	/* the command under way; all in the arena */
	struct arena			 arena;
	struct imap_segment		*segments;
	size_t				 segment_count;
	size_t				 command_len;
	struct imap_command		 command;
	struct imap_append		 append;	/* of an APPEND */
	struct slice			*keywords;	/* the account's table */
	size_t				 keyword_count;
	uint64_t			*own;	/* mod-sequences of its changes */
	size_t				 own_count;

	/* its tagged response */
	const char			*status;	/* "OK", "NO", "BAD" */
	struct buf			 code;		/* without brackets */
	const char			*text;		/* NULL: completed */

	struct buf			 out;	/* composed, not yet written */
	struct session_selected		 selected;
	char				 tag[IMAP_TAG_MAX];	/* of IDLE */
	size_t				 tag_len;
	struct view_state		 asleep;	/* to be restored */
	bool				 is_thawed;	/* was; not restored yet */
	bool				 has_begun;
	enum session_waiting		 waiting;
	unsigned			 bad_in_a_row;
	uint64_t			 command_count;
	bool				 quit;
	struct bell_listener		 bell;
	uint64_t			 heard;	/* rings that IDLE has looked into */
};

/* the handlers, from the table of commands */
typedef int session_handler(struct task *t, struct imap_session *s);
#define SESSION_DECLARE_ANY(name)		session_handler session_##name;
#define SESSION_DECLARE_AUTHENTICATED(name)	session_handler session_##name;
#define SESSION_DECLARE_SELECTED(name)		session_handler session_##name;
#define SESSION_DECLARE_BEFORE(name)
#define IMAP_COMMAND(id, name, states, uid, arguments, handler) \
	SESSION_DECLARE_##states(handler)
#include "libmail/imap_cmds.def"

/* --- session.c */
/* forget the command: empty the arena and what lies in it */
void	session_forget_command(struct imap_session *s);

/* --- session_input.c */
/* read a command: 1 it is in s->command, 0 it was wrong and is answered */
MUST_USE int	session_read(struct task *t, struct imap_session *s);
/* nothing is composed and nothing under way: release what commands need */
void	session_shrink(struct imap_session *s);
/* drop a literal that comes unasked; -EPROTO, with BYE said, if that is too
 * long to wait for */
MUST_USE int	session_drain_literal(struct task *t, struct imap_session *s,
		    const struct imap_literal *literal);
/* drop what follows an APPEND's message up to the end of the command */
MUST_USE int	session_drain_command(struct task *t, struct imap_session *s);

/* --- session_reply.c */
/* write out what was composed, if it is much; all of it */
MUST_USE int	session_put(struct task *t, struct imap_session *s);
MUST_USE int	session_put_all(struct task *t, struct imap_session *s);
/* bytes behind what was composed; they need not outlive the call */
MUST_USE int	session_put_bytes(struct task *t, struct imap_session *s,
		    struct slice bytes);
/* the tagged response to come; code may be NULL, text lives as long as the
 * command */
void	session_say(struct imap_session *s, const char *status,
	    const char *code, const char *text);
/* what a failed call of the store means: 0 and NO is said, or the errno if
 * the session must end. missing is the code for -ENOENT. */
MUST_USE int	session_failed(struct imap_session *s, int r,
		    const char *missing);
/* the tagged response, as said */
void	session_format_tagged(struct imap_session *s, struct slice tag);

/* --- session_select.c */
/* tell the client what changed in its mailbox */
MUST_USE int	session_sync(struct task *t, struct imap_session *s,
		    bool may_expunge);
/* leave the mailbox, if one is selected */
MUST_USE int	session_unselect(struct task *t, struct imap_session *s);
/* release it without waiting */
void	session_drop_selected(struct imap_session *s);
/* bring back the mailbox of a session that slept */
MUST_USE int	session_restore(struct task *t, struct imap_session *s);
/* run what writes to the account on a worker, and ring the bell */
MUST_USE int	session_commit(struct task *t, struct imap_session *s,
		    work_fn *fn, void *arg);
/* remember a mod-sequence as made by this command, so that session_sync does
 * not report it */
void	session_add_own(struct imap_session *s, uint64_t modseq);

/* --- session_flags.c */
/* FLAGS and PERMANENTFLAGS of the mailbox; told is set to what they name */
MUST_USE int	session_format_mailbox_flags(struct imap_session *s,
		    uint64_t keywords, bool permanent);
/* name keywords that the client was not told of before they are used */
MUST_USE int	session_tell_keywords(struct imap_session *s, uint64_t flags);
/* "(\Seen ...)" of a message */
MUST_USE int	session_format_flags(struct imap_session *s,
		    const struct message_meta *m);
/* "* 5 FETCH (UID 7 FLAGS (...))" */
MUST_USE int	session_format_flags_fetch(struct imap_session *s,
		    const struct message_meta *m, bool with_uid);
uint64_t	session_store_flags(uint32_t system);

/* --- session_set.c */
/* the messages a command names, as ranges of sequence numbers in its view;
 * walked in order */
struct session_walk {
	struct imap_seqset	 seqs;
	size_t			 range;
	uint32_t		 next;		/* in that range, or 0 */
};
/* false, and BAD is said, if the set names messages that are not there */
bool	session_walk_begin(struct imap_session *s, struct imap_seqset *set,
	    bool by_uid, struct session_walk *ret_walk);
/* the UIDs of the next messages, at most max; 0 at the end */
size_t	session_walk_next(struct imap_session *s, struct session_walk *w,
	    uint32_t *ret_uids, size_t max);
/* ranges of UIDs or numbers as ranges of sequence numbers */
void	session_uids_to_seqs(const struct mailbox_view *v,
	    struct imap_seqset *set);

/* --- session_recent.c */
struct shared_mailbox	*session_share(struct imap_shared *shared,
			    uint32_t mailbox, uint32_t recent);
void	session_unshare(struct imap_shared *shared, struct shared_mailbox **m);
/* the first UID that nobody was told of; recent as the account knows it */
uint32_t	session_first_unclaimed(const struct imap_shared *shared,
		    uint32_t mailbox, uint32_t recent);
/* messages up to uidnext are seen by this session: those nobody claimed yet
 * are its own recent ones; read_only takes them without claiming */
void	session_claim_recent(struct session_selected *sel, uint32_t uidnext);
/* messages below were told to a session of this mailbox before */
void	session_note_claimed(struct shared_mailbox *m, uint32_t uidnext);
void	session_recent_add(struct session_recent *r, uint32_t first,
	    uint32_t last);
bool	session_is_recent(const struct session_recent *r, uint32_t uid);
/* how many of the view's messages are */
uint32_t	session_recent_count(const struct session_recent *r,
		    const struct mailbox_view *v);
/* have messages been claimed that the account was not told of, and is this
 * the last session of the mailbox? */
bool	session_must_store_recent(const struct shared_mailbox *m);

/* --- session_idle.c */
/* go on with an IDLE that began before; session_idle begins one */
MUST_USE int	session_idle_go_on(struct task *t, struct imap_session *s);

#endif
