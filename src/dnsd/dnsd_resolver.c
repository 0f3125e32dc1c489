/* SPDX-License-Identifier: ISC */
/*
 * libunbound with a thread of its own, which it starts at the first question.
 * Everything it needs is given to it as text, so it opens no file.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unbound.h>

#include "dnsd/dnsd.h"
#include "libutil/alloc.h"
#include "libutil/diag.h"

static const struct {
	const char	*name;
	const char	*value;
} options[] = {
	/* a name server on this host is a usual one */
	{ "do-not-query-localhost:",	"no" },
	{ "outgoing-range:",		"256" },
	{ "outgoing-num-tcp:",		"32" },
	{ "num-queries-per-thread:",	"1024" },
	{ "cache-max-ttl:",		"86400" },
	{ "cache-max-negative-ttl:",	"900" },
};

/* for name servers of one's own: they may know private addresses */
static const struct {
	const char	*name;
	const char	*value;
} forward_options[] = {
	{ "unblock-lan-zones:",		"yes" },
	{ "insecure-lan-zones:",	"yes" },
};

/* note - what libunbound says, or nothing */
static int
note(int e, const char *what, struct diag *diag)
{
	return e == 0 ? 0 : diag_set(diag, 0, 0, "%s: %s", what,
	    ub_strerror(e));
}

/* set_sizes - how much may be kept */
static int
set_sizes(struct ub_ctx *ctx, uint64_t bytes, struct diag *diag)
{
	char	text[32];
	int	r;

	/* records, and in half as much how they form answers */
	(void)snprintf(text, sizeof(text), "%llu",
	    (unsigned long long)bytes / 3 * 2);
	if ((r = note(ub_ctx_set_option(ctx, "rrset-cache-size:", text),
	    "rrset-cache-size", diag)) < 0)
		return r;
	(void)snprintf(text, sizeof(text), "%llu",
	    (unsigned long long)bytes / 3);
	return note(ub_ctx_set_option(ctx, "msg-cache-size:", text),
	    "msg-cache-size", diag);
}

/* set_servers - whom to ask */
static int
set_servers(struct ub_ctx *ctx, const struct dnsd *s, struct diag *diag)
{
	int r = 0;

	for (size_t i = 0; i < s->servers.count && r == 0; i++)
		r = note(ub_ctx_set_fwd(ctx, s->servers.v[i].text),
		    s->servers.v[i].text, diag);
	for (size_t i = 0; i < COUNT(forward_options) && r == 0 &&
	    s->servers.count > 0; i++)
		r = note(ub_ctx_set_option(ctx, forward_options[i].name,
		    forward_options[i].value), forward_options[i].name, diag);
	return r;
}

/* is_record - a DS or DNSKEY record, on one line */
static bool
is_record(struct slice line)
{
	struct slice word;

	while (slice_next_word(&line, " \t", &word))
		if (slice_equal_nocase(word, S("DS")) ||
		    slice_equal_nocase(word, S("DNSKEY")))
			return true;
	return false;
}

/* set_anchor - the records of the file, without its comments */
static int
set_anchor(struct ub_ctx *ctx, struct slice text, struct diag *diag)
{
	int r = 0, n = 0;

	while (text.len > 0 && r == 0) {
		struct slice	 whole = slice_split(&text, '\n');
		struct slice	 line = slice_trim(slice_split(&whole, ';'));
		char		*record;

		if (line.len == 0)
			continue;
		if (!is_record(line))
			return diag_set(diag, 0, 0, "the trust anchor's file "
			    "has a line that is no DS or DNSKEY record");
		record = slice_dup(line);
		r = note(ub_ctx_add_ta(ctx, record), "trust anchor", diag);
		free(record);
		n++;
	}
	if (r == 0 && n == 0)
		r = diag_set(diag, 0, 0, "there is no trust anchor in its "
		    "file");
	return r;
}

/* configure - all that it must know */
static int
configure(struct resolver *r, bool validate, struct diag *diag)
{
	const struct dnsd_params	*p = daemon_params(r->dnsd->daemon);
	int				 e = 0;

	(void)ub_ctx_debugout(r->ctx, NULL);	/* it has nobody to tell */
	for (size_t i = 0; i < COUNT(options) && e == 0; i++)
		e = note(ub_ctx_set_option(r->ctx, options[i].name,
		    options[i].value), options[i].name, diag);
	if (e < 0 || (e = set_sizes(r->ctx, p->dns_cache_size, diag)) < 0 ||
	    (e = set_servers(r->ctx, r->dnsd, diag)) < 0 ||
	    (validate && (e = set_anchor(r->ctx,
	    buf_slice(&r->dnsd->anchor), diag)) < 0) ||
	    (e = note(ub_ctx_async(r->ctx, 1), "threads", diag)) < 0)
		return e;
	/* this also ends its configuration, while there are files yet */
	if (r->dnsd->own_servers)
		e = note(ub_ctx_zone_remove(r->ctx, "test."), "test.", diag);
	else
		e = note(ub_ctx_zone_add(r->ctx, "test.", "static"), "test.",
		    diag);
	return e;
}

/* resolver_open - make it */
int
resolver_open(struct resolver *r, struct dnsd *s, bool validate,
    struct diag *diag)
{
	int e, fd;

	*r = (struct resolver){ .dnsd = s, .io = IO_INIT };
	if ((r->ctx = ub_ctx_create()) == NULL)
		return diag_set(diag, 0, 0, "libunbound cannot be used");
	if ((e = configure(r, validate, diag)) < 0) {
		resolver_close(r);
		return e;
	}
	/* io closes what it has; the pipe is libunbound's */
	fd = fcntl(ub_fd(r->ctx), F_DUPFD_CLOEXEC, 0);
	if (fd < 0) {
		resolver_close(r);
		return diag_set(diag, 0, 0, "the pipe of answers: %s",
		    strerror(errno));
	}
	io_open(&r->io, daemon_loop(s->daemon), &fd);
	return 0;
}

/* resolver_close - release it; its tasks have ended */
void
resolver_close(struct resolver *r)
{
	io_close(&r->io);
	if (r->ctx != NULL)
		ub_ctx_delete(r->ctx);
	r->ctx = NULL;
}

/* answers_task - hand answers to those who wait for them */
static int
answers_task(struct task *t, void *arg)
{
	struct resolver	*r = arg;
	int		 e, r2;

	while ((e = io_wait_read(t, &r->io)) == 0) {
		if ((r2 = ub_process(r->ctx)) == 0)
			continue;
		log_event(daemon_log(r->dnsd->daemon), EV_DNSD_LIBRARY,
		    KV_TEXT("why", ub_strerror(r2)));
		if ((e = task_sleep(t, 1000)) < 0)
			break;
	}
	r->running = false;
	return e;
}

/* a question under way, on the stack of the task that asks; libunbound calls
 * back until it is cancelled */
struct question {
	struct signal		 done;
	struct ub_result	*result;
	int			 error;
};

/* on_answer - of ub_process, on the loop's thread */
static void
on_answer(void *arg, int error, struct ub_result *result)
{
	struct question *q = arg;

	q->error = error;
	q->result = result;
	signal_set(&q->done);
}

/* resolver_ask - ask and wait */
int
resolver_ask(struct task *t, struct resolver *r, const char *name, int type,
    int64_t ms, struct ub_result **ret_result, const char **ret_why)
{
	struct question	q = { .done = SIGNAL_INIT };
	struct deadline	limit;
	int		id, e;

	if (!r->running) {
		r->running = true;
		task_group_start(r->dnsd->tasks, answers_task, r);
	}
	e = ub_resolve_async(r->ctx, name, type, 1, &q, on_answer, &id);
	if (e != 0) {
		*ret_why = ub_strerror(e);
		return -EIO;
	}
	deadline_begin(t, &limit, ms);
	e = signal_wait(t, &q.done);
	e = deadline_end(t, &limit, e);
	if (e < 0) {
		/* it may have come in the same moment; else it never will */
		if (q.done.set)
			ub_resolve_free(q.result);
		else
			ignore(ub_cancel(r->ctx, id));
		return e;
	}
	if (q.error != 0 || q.result == NULL) {
		*ret_why = ub_strerror(q.error);
		return -EIO;
	}
	*ret_result = q.result;
	return 0;
}
