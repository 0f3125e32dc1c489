/* SPDX-License-Identifier: ISC */
/*
 * log: the one logging API. Daemon code says that an event happened and hands
 * over typed keys; nobody formats a log line:
 *
 *	log_event(&session->log, EV_SMTPD_REJECT, KV_STR("client", name),
 *	    KV_INT("size", n), KV_ERR("why", r));
 *
 * Events are declared once, in a daemon's X_events.def, in manual order:
 *
 *	EVENT(SMTPD_CONNECT, INFO, "connect from {name}[{address}]",
 *		"A client connected.")
 *	#undef EVENT
 *
 * name, level (DEBUG INFO WARNING ERROR FATAL), wording, and a sentence for
 * the operator. events_declare.h and events_define.h turn the table into
 * EV_SMTPD_CONNECT, usable as const struct event *, and into a struct
 * event_table for manual pages and tests.
 *
 * The wording is what the classic printer writes, and what tools made for
 * Postfix logs read:
 *	{key}		the value, escaped; nothing when there is no such key
 *	{key|text}	the value, or text when there is no such key
 *	{?...?}		left out as a whole when a {key} in it is absent
 *	{{		a brace
 * A wording that does not name {queue_id} gets "QUEUEID: " in front when the
 * record has that key; write "{queue_id|NOQUEUE}: reject: ..." otherwise.
 *
 * A struct log is a context: keys that every line of a session carries
 * (session, client, queue_id). It may have a parent, whose keys come first.
 * Keys are literals of a-z, 0-9 and _. Strings are lent: to log_event for the
 * call, to a context until they are replaced, unset, or the log is gone.
 *
 * A record goes to the process's sink: log_start names it, once. Until then
 * lines go to standard error. No secrets and no message text belong here.
 */
#ifndef LIBUTIL_LOG_H
#define LIBUTIL_LOG_H

#include <sys/types.h>

#include "libutil/slice.h"

enum log_level {
	LEVEL_DEBUG,
	LEVEL_INFO,
	LEVEL_WARNING,
	LEVEL_ERROR,
	LEVEL_FATAL,
};
#define LEVEL_COUNT	5

struct event {
	const char	*name;		/* "SMTPD_CONNECT" */
	enum log_level	 level;
	const char	*wording;
	const char	*doc;
};

struct event_table {
	const char			*owner;		/* "smtpd" */
	const struct event *const	*events;
	size_t				 count;
};

enum kv_type {
	KV_TYPE_ABSENT,		/* as if the key were not there */
	KV_TYPE_STR,
	KV_TYPE_INT,
	KV_TYPE_UINT,
	KV_TYPE_BOOL,
	KV_TYPE_ERR,		/* a negative errno */
	KV_TYPE_TIME,		/* a date: milliseconds since 1970 */
	KV_TYPE_SPAN,		/* a duration: milliseconds */
};

struct kv {
	const char	*key;
	enum kv_type	 type;
	union {
		struct slice	s;
		int64_t		i;
		uint64_t	u;
	} value;
};

static inline struct kv
kv_str(const char *key, struct slice s)
{
	return (struct kv){ key, KV_TYPE_STR, { .s = s } };
}

static inline struct kv
kv_int(const char *key, enum kv_type type, int64_t i)
{
	return (struct kv){ key, type, { .i = i } };
}

static inline struct kv
kv_uint(const char *key, uint64_t u)
{
	return (struct kv){ key, KV_TYPE_UINT, { .u = u } };
}

/* kv_some - the key, or none at all when it has nothing to say */
static inline struct kv
kv_some(bool some, struct kv kv)
{
	kv.type = some ? kv.type : KV_TYPE_ABSENT;
	return kv;
}

/* bytes, maybe empty; KV_OPT is absent when empty */
#define KV_STR(key, slice)	kv_str((key), (slice))
#define KV_OPT(key, slice)	kv_opt((key), (slice))
/* a C string; absent when NULL */
#define KV_TEXT(key, text)	kv_text((key), (text))
#define KV_INT(key, value)	kv_int((key), KV_TYPE_INT, (int64_t)(value))
#define KV_UINT(key, value)	kv_uint((key), (value))
#define KV_BOOL(key, value)	kv_int((key), KV_TYPE_BOOL, (value) ? 1 : 0)
/* what a function returned: absent unless it is a negative errno */
#define KV_ERR(key, r)		kv_err((key), (r))
#define KV_TIME(key, ms)	kv_int((key), KV_TYPE_TIME, (ms))
#define KV_SPAN(key, ms)	kv_int((key), KV_TYPE_SPAN, (ms))
/* the KV, or no key when the condition does not hold */
#define KV_IF(cond, kv)		kv_some((cond), (kv))

static inline struct kv
kv_opt(const char *key, struct slice s)
{
	return kv_some(s.len > 0, kv_str(key, s));
}

static inline struct kv
kv_text(const char *key, const char *text)
{
	return kv_some(text != NULL, kv_str(key, slice_of(text)));
}

static inline struct kv
kv_err(const char *key, int r)
{
	return kv_some(r < 0, kv_int(key, KV_TYPE_ERR, r));
}

/* the keys that printers treat in their own way */
#define LOG_QUEUE_ID	"queue_id"
#define LOG_SESSION	"session"
/* qmgr only: as which agent logd is to write the line down */
#define LOG_AGENT	"agent"

#define LOG_OWN_MAX	6	/* keys of one context */
#define LOG_CONTEXT_MAX	16	/* keys of a context and its parents */
#define LOG_KVS_MAX	32	/* keys of one event */
#define LOG_VALUE_MAX	2048	/* bytes of a value that are kept */

struct log {
	const struct log	*parent;	/* lent; may be NULL */
	bool			 verbose;	/* let debug events pass */
	uint8_t			 count;
	struct kv		 own[LOG_OWN_MAX];
};

/* an empty context; the parent (NULL for none) must outlive it */
void	log_init(struct log *l, const struct log *parent);
/* add a key to the context, or replace its value */
void	log_set(struct log *l, struct kv kv);
/* remove a key of this context; no-op if it is not there */
void	log_unset(struct log *l, const char *key);

/* what happened, as the sink gets it; all of it is lent for the call */
struct log_record {
	int64_t			 time_us;	/* microseconds since 1970 */
	const struct event	*event;
	struct slice		 program;	/* "postfix/smtpd" */
	pid_t			 pid;
	const struct kv		*context;
	size_t			 context_count;
	const struct kv		*kvs;
	size_t			 kv_count;
};

struct log_setup {
	const char	*program;	/* lent for the life of the process */
	pid_t		 pid;
	bool		 verbose;	/* let debug events pass everywhere */
	void		(*sink)(void *arg, const struct log_record *);
	void		*sink_arg;
	int64_t		(*now_us)(void);	/* microseconds since 1970 */
};

/* set up logging, once at start-up (and again in a forked child, or in a
 * test); a NULL program, sink or now_us keeps the default: "barid", standard
 * error, the system's clock */
void	log_start(const struct log_setup *);
/* the default sink: "program[pid]: wording" on standard error */
void	log_sink_stderr(void *arg, const struct log_record *);

/* would such an event be logged? for keys that are costly to make */
bool	log_is_on(const struct log *, const struct event *);

/* log_event(const struct log *, const struct event *, KV_...); the log may be
 * NULL for a line that belongs to no session */
#define log_event(log, event, ...) \
	log_event_kvs((log), (event), (const struct kv[]){ \
	    __VA_ARGS__ __VA_OPT__(,) { 0 } }, \
	    sizeof((const struct kv[]){ __VA_ARGS__ __VA_OPT__(,) { 0 } }) / \
	    sizeof(struct kv) - 1)
void	log_event_kvs(const struct log *, const struct event *,
	    const struct kv *kvs, size_t count);

/* the value under a key: the event's own, else the innermost context's; NULL
 * when there is none or it is absent */
const struct kv	*log_record_get(const struct log_record *, const char *key);
/* "debug", "info", ... */
const char	*log_level_name(enum log_level);

#endif
