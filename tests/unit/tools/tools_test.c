/* SPDX-License-Identifier: ISC */
/* What the commands make of words and entries, without a suite. */
#include "test.h"

#include <fcntl.h>
#include <getopt.h>
#include <sysexits.h>
#include <unistd.h>

#include "tools/queue.h"
#include "tools/sendmail.h"
#include "tools/tool.h"
#include "tools/verbs.h"

/* barid.c has main and this; nothing here asks for a verb by its name */
const struct verb verbs_table[] = { { .noun = NULL } };

/* captured - what fn prints; in a buffer of its own until the next call */
static const char *
captured(void (*fn)(void *), void *arg)
{
	static char	text[8192];
	char		path[400];
	int		saved, fd;
	ssize_t		n;

	(void)snprintf(path, sizeof(path), "%s/out", test_tmpdir());
	fflush(stdout);
	saved = dup(1);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(saved >= 0 && fd >= 0 && dup2(fd, 1) == 1, 0);
	fn(arg);
	fflush(stdout);
	CHECK(dup2(saved, 1) == 1, 1);
	n = pread(fd, text, sizeof(text) - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	CHECK_INT(close(saved) + close(fd), 0, 0);
	return text;
}

/* --- sendmail's command line */

struct options {
	const char	*words[8];
	int		 status;
	/* when it is right */
	const char	*sender, *first;
	size_t		 rcpts;
	enum sendmail_mode mode;
	uint32_t	 notify, ret;
	bool		 null_sender, extract, keeps_dots;
};

static const struct options option_cases[] = {
	{ { "a@x" }, 0, "", "a@x", 1, SENDMAIL_SUBMIT, .notify = 0 },
	{ { "-i", "a@x", "b@x" }, 0, "", "a@x", 2, .keeps_dots = true },
	{ { "-oi", "-f", "<s@x>", "a@x" }, 0, "s@x", "a@x", 1,
	  .keeps_dots = true },
	{ { "-fs@x", "a@x" }, 0, "s@x", "a@x", 1, .notify = 0 },
	{ { "-f", "<>", "a@x" }, 0, "", "a@x", 1, .null_sender = true },
	{ { "-f", "", "a@x" }, 0, "", "a@x", 1, .null_sender = true },
	{ { "-t", "-Am", "-hx" }, 0, "", NULL, 0, .extract = true },
	{ { "-bs" }, 0, "", NULL, 0, SENDMAIL_SMTP, .notify = 0 },
	{ { "-bp" }, 0, "", NULL, 0, SENDMAIL_MAILQ, .notify = 0 },
	{ { "-bi" }, 0, "", NULL, 0, SENDMAIL_NEWALIASES, .notify = 0 },
	{ { "-I" }, 0, "", NULL, 0, SENDMAIL_NEWALIASES, .notify = 0 },
	{ { "-N", "failure,delay", "a@x" }, 0, "", "a@x", 1, .notify = 12 },
	{ { "-N", "never", "-R", "hdrs", "a@x" }, 0, "", "a@x", 1,
	  .notify = 1, .ret = 2 },
	{ { "-N", "never,success", "a@x" }, EX_USAGE, NULL, NULL, 0,
	  .notify = 0 },
	{ { "-N", "always", "a@x" }, EX_USAGE, NULL, NULL, 0, .notify = 0 },
	{ { "-R", "some", "a@x" }, EX_USAGE, NULL, NULL, 0, .notify = 0 },
	{ { "-B", "9BIT", "a@x" }, EX_USAGE, NULL, NULL, 0, .notify = 0 },
	{ { "-bd" }, EX_USAGE, NULL, NULL, 0, .notify = 0 },
	{ { "-bv", "a@x" }, EX_UNAVAILABLE, NULL, NULL, 0, .notify = 0 },
	{ { "-f", "s\nx", "a@x" }, EX_USAGE, NULL, NULL, 0, .notify = 0 },
	{ { "a\nb@x" }, EX_USAGE, NULL, NULL, 0, .notify = 0 },
	{ { "" }, EX_USAGE, NULL, NULL, 0, .notify = 0 },
};

static void
options(const struct options *c, size_t row)
{
	char		*argv[10] = { (char []){ "sendmail" } };
	struct tool	 tool = { .name = "sendmail" };
	struct sendmail	 s = { .tool = &tool, .dots = true };
	int		 argc = 1;

	while (argc < 9 && c->words[argc - 1] != NULL) {
		argv[argc] = (char *)(uintptr_t)c->words[argc - 1];
		argc++;
	}
	optind = 0;		/* the library's word for: begin anew */
	if (CHECK_INT(sendmail_options(&s, argc, argv), c->status, row) == 0) {
		CHECK_TEXT(s.drop.sender, c->sender, row);
		CHECK_INT(s.drop.rcpts.n, c->rcpts, row);
		if (c->first != NULL && s.drop.rcpts.n > 0)
			CHECK_TEXT(s.drop.rcpts.v[0].address, c->first, row);
		CHECK_INT(s.mode, c->mode, row);
		CHECK_INT(s.drop.notify, c->notify, row);
		CHECK_INT(s.drop.ret, c->ret, row);
		CHECK_INT(s.drop.null_sender, c->null_sender, row);
		CHECK_INT(s.drop.extract, c->extract, row);
		CHECK_INT(s.dots, !c->keeps_dots, row);
	}
	arena_free(&tool.arena);
}

TEST(sendmail_options)
{
	for (size_t i = 0; i < COUNT(option_cases); i++)
		options(&option_cases[i], i);
}

/* --- the queue's list */

static const struct msg_queue_rcpt two[] = {
	{ S_INIT("a@x.example"), S_INIT("a@x.example"), S_INIT("no \"luck\"") },
	{ S_INIT("b@x.example"), S_INIT("b@x.example"), S_INIT("no \"luck\"") },
};

static struct msg_queue_entry
entry(const char *queue, const char *sender, size_t rcpts)
{
	struct msg_queue_entry e = { .queue_id = S("4jXJG43SZqz2002"),
		.queue_name = slice_of(queue), .arrival = 0, .size = 1025,
		.sender = slice_of(sender), .next = 60 };

	e.rcpts.v = (struct msg_queue_rcpt *)(uintptr_t)two;
	e.rcpts.n = rcpts;
	return e;
}

struct listing {
	enum queue_form		 form;
	struct msg_queue_entry	 entry[2];
	size_t			 count;
};

static void
list(void *arg)
{
	const struct listing	*l = arg;
	struct queue_printer	 p = { .form = l->form };

	for (size_t i = 0; i < l->count; i++)
		queue_print(&p, &l->entry[i]);
	queue_print_end(&p);
}

TEST(queue_as_mailq)
{
	struct listing l = { .form = QUEUE_MAILQ, .count = 2 };

	CHECK(setenv("TZ", "UTC", 1) == 0, 0);
	l.entry[0] = entry("active", "s@x.example", 1);
	l.entry[1] = entry("hold", "", 2);
	CHECK_TEXT(slice_of(captured(list, &l)),
	    "----Queue ID----- --Size-- ----Arrival Time---- "
	    "-Sender/Recipient------\n"
	    "4jXJG43SZqz2002*       1025  Thu Jan  1 00:00:00  s@x.example\n"
	    "                                                                   "
	    "(no \"luck\")\n"
	    "                                                 a@x.example\n"
	    "\n"
	    "4jXJG43SZqz2002!       1025  Thu Jan  1 00:00:00  MAILER-DAEMON\n"
	    "                                                                   "
	    "(no \"luck\")\n"
	    "                                                 a@x.example\n"
	    "                                                 b@x.example\n"
	    "\n-- 3 Kbytes in 2 Requests.\n", 0);
	l.count = 0;
	CHECK_TEXT(slice_of(captured(list, &l)), "Mail queue is empty\n", 1);
}

TEST(queue_as_json)
{
	struct listing l = { .form = QUEUE_JSON, .count = 2 };

	l.entry[0] = entry("deferred", "s@x.example", 1);
	l.entry[0].forced_expire = true;
	l.entry[1] = entry("active", "", 0);
	CHECK_TEXT(slice_of(captured(list, &l)),
	    "{\"queue_name\":\"deferred\",\"queue_id\":\"4jXJG43SZqz2002\","
	    "\"arrival_time\":0,\"message_size\":1025,\"forced_expire\":true,"
	    "\"sender\":\"s@x.example\",\"recipients\":[{\"address\":"
	    "\"a@x.example\",\"delay_reason\":\"no \\\"luck\\\"\"}],"
	    "\"next_attempt\":60}\n"
	    "{\"queue_name\":\"active\",\"queue_id\":\"4jXJG43SZqz2002\","
	    "\"arrival_time\":0,\"message_size\":1025,\"forced_expire\":false,"
	    "\"sender\":\"MAILER-DAEMON\",\"recipients\":[],"
	    "\"next_attempt\":60}\n", 0);
	l.count = 0;
	CHECK_TEXT(slice_of(captured(list, &l)), "", 1);
}

/* --- what of main.cf is not as it comes */

struct diffing {
	struct tool	*tool;
	int		 status;
};

static void
diff(void *arg)
{
	struct diffing	*d = arg;
	char		*argv[] = { (char []){ "diff" }, NULL };

	d->status = verb_conf_diff(d->tool, 1, argv);
}

static void
put(const char *folder, const char *name, const char *text)
{
	char	path[400];
	FILE	*f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0, 0);
}

TEST(conf_diff)
{
	static const struct { const char *main_cf, *want; } cases[] = {
		{ "", "" },
		{ "queue_run_delay = 300s\n", "" },
		{ "queue_run_delay = 5s\n",
		  "-queue_run_delay = 300s\n+queue_run_delay = 5s\n" },
		{ "mine = 1\nqueue_run_delay = $mine\n", "+mine = 1\n"
		  "-queue_run_delay = 300s\n+queue_run_delay = $mine\n" },
		{ "queue_run_delay = 5s\nqueue_run_delay = 300s\n", "" },
	};

	put(test_tmpdir(), "master.cf", "");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tool tool = { .name = "barid conf",
			.config_directory = test_tmpdir() };
		struct diffing d = { &tool, -1 };

		put(test_tmpdir(), "main.cf", cases[i].main_cf);
		CHECK_TEXT(slice_of(captured(diff, &d)), cases[i].want, i);
		CHECK_INT(d.status, 0, i);
		tool_done(&tool);
	}
}
