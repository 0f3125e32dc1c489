/* SPDX-License-Identifier: ISC */
/*
 * postlog: lines of scripts into the mail log, by way of logd. While the suite
 * is stopped, and for those who may not reach logd, a line goes to standard
 * error only, where it goes in any case.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "libglobal/ipc_log.h"
#include "libutil/buf.h"
#include "libutil/log.h"
#include "libutil/log_wire.h"
#include "tools/compat.h"

struct postlog {
	struct tool	*tool;
	const char	*tag;
	enum log_level	 level;
	char		**words;	/* the text; none: standard input */
	size_t		 word_count;
	bool		 reachable;	/* logd may be asked for */
	struct ipc_conn	*logd;		/* NULL: not reached */
};

static const struct event events[LEVEL_COUNT] = {
	{ "POSTLOG_DEBUG", LEVEL_DEBUG, "{text}", "" },
	{ "POSTLOG_INFO", LEVEL_INFO, "{text}", "" },
	{ "POSTLOG_WARNING", LEVEL_WARNING, "{text}", "" },
	{ "POSTLOG_ERROR", LEVEL_ERROR, "{text}", "" },
	{ "POSTLOG_FATAL", LEVEL_FATAL, "{text}", "" },
};

static int64_t
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* say - one line */
static int
say(struct task *t, struct postlog *p, struct slice text)
{
	struct kv		kv = KV_STR("text", text);
	struct log_record	record = { .time_us = now_us(),
				    .event = &events[p->level],
				    .program = slice_of(p->tag),
				    .pid = getpid(), .kvs = &kv,
				    .kv_count = 1 };
	struct msg_log_line	line;
	struct buf		b = BUF_INIT_MAX(LOG_WIRE_MAX);
	int			r = 0;

	fprintf(stderr, "%s: %s%s%.*s\n", p->tag,
	    p->level == LEVEL_INFO ? "" : log_level_name(p->level),
	    p->level == LEVEL_INFO ? "" : ": ", SLICE_ARG(text));
	if (p->logd != NULL) {
		log_record_encode(&b, &record);
		line.record = buf_slice(&b);
		r = ipc_send(t, p->logd, &msg_log_line_desc, &line);
	}
	buf_free(&b);
	return r;
}

/* all - the words as one line, or every line of standard input */
static int
all(struct task *t, struct postlog *p)
{
	struct buf	b = BUF_INIT;
	char		line[1024];
	int		r = 0;

	for (size_t i = 0; i < p->word_count; i++) {
		buf_add_text(&b, i > 0 ? " " : "");
		buf_add_text(&b, p->words[i]);
	}
	if (p->word_count > 0)
		r = say(t, p, buf_slice(&b));
	else
		while (r == 0 && fgets(line, sizeof(line), stdin) != NULL)
			r = say(t, p, slice_trim(slice_of(line)));
	buf_free(&b);
	return r;
}

static int
postlog_talk(struct task *t, struct ipc_conn *c, void *arg)
{
	struct postlog		*p = arg;
	struct msg_log_hello	 hello = { slice_of(p->tag), S("postlog"),
				    (uint32_t)getpid() };
	int			 r;

	p->logd = c;
	if ((r = ipc_send(t, c, &msg_log_hello_desc, &hello)) == 0 &&
	    (r = all(t, p)) == 0)
		r = ipc_drain(t, c);
	return r;
}

static int
postlog_task(struct task *t, void *arg)
{
	struct postlog *p = arg;

	if (p->reachable)
		return tool_daemon(t, p->tool, "logd", &ipc_table_log,
		    postlog_talk, p);
	return all(t, p);
}

/* level_of - -p; what Postfix knows, and panic as fatal */
static int
level_of(const char *text, enum log_level *ret_level)
{
	static const struct { const char *name; enum log_level level; } names[] = {
		{ "info", LEVEL_INFO }, { "warn", LEVEL_WARNING },
		{ "warning", LEVEL_WARNING }, { "error", LEVEL_ERROR },
		{ "fatal", LEVEL_FATAL }, { "panic", LEVEL_FATAL },
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i].name, text) == 0) {
			*ret_level = names[i].level;
			return 0;
		}
	return -ENOENT;
}

/* compat_postlog - -t tag, -p priority, text */
int
compat_postlog(struct tool *tool, int argc, char **argv)
{
	struct postlog	p = { .tool = tool, .tag = "barid/postlog",
			    .level = LEVEL_INFO };
	int		c;

	while ((c = getopt(argc, argv, "+c:ip:t:v")) != -1) {
		if (c == 'c')
			tool->config_directory = optarg;
		else if (c == 't')
			p.tag = optarg;
		else if (c == 'p' && level_of(optarg, &p.level) < 0)
			return tool_fail(tool, "-p %s: give info, warn, error, "
			    "fatal or panic", optarg);
		else if (c == '?')
			return TOOL_FAILED;
	}
	p.words = argv + optind;
	p.word_count = (size_t)(argc - optind);
	p.reachable = geteuid() == 0 && tool_conf(tool) == 0 &&
	    tool_is_running(tool) > 0;
	return tool_run(postlog_task, &p) < 0 ? TOOL_FAILED : TOOL_OK;
}
