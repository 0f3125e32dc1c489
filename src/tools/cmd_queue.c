/* SPDX-License-Identifier: ISC */
/* barid queue; mailq, postqueue and postsuper. */
#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

#include "tools/compat.h"
#include "tools/queue.h"
#include "tools/verbs.h"

#define SUPER_ACTIONS	100

int
verb_queue_list(struct tool *tool, int argc, char **argv)
{
	(void)argv;
	return argc != 1 ? TOOL_USAGE :
	    queue_list(tool, tool->json ? QUEUE_JSON : QUEUE_MAILQ);
}

int
verb_queue_show(struct tool *tool, int argc, char **argv)
{
	return argc != 2 ? TOOL_USAGE : queue_show(tool, argv[1]);
}

/* is_queue - one of those that a message may be in */
static bool
is_queue(const char *name)
{
	return strcmp(name, "active") == 0 || strcmp(name, "deferred") == 0 ||
	    strcmp(name, "hold") == 0;
}

/* no_queue - there is none of that name */
static int
no_queue(const struct tool *tool, const char *name)
{
	return tool_fail(tool, "there is no queue \"%s\": give active, "
	    "deferred or hold", name);
}

/* change_word - an id, ALL, or ALL:QUEUE */
static int
change_word(struct tool *tool, const char *verb, const char *word,
    uint64_t *ret_count)
{
	const char *queue = word + sizeof("ALL");

	if (strncmp(word, "ALL:", sizeof("ALL:") - 1) != 0)
		return queue_do(tool, verb, word, "", "", ret_count);
	return is_queue(queue) ?
	    queue_do(tool, verb, "ALL", queue, "", ret_count) :
	    no_queue(tool, queue);
}

/* flush_site - all for a destination */
static int
flush_site(struct tool *tool, const char *site)
{
	uint64_t count;

	return site[0] == '\0' ?
	    tool_fail(tool, "\"\" is not a destination") :
	    queue_do(tool, "flush", "ALL", "", site, &count);
}

/* each - the same change for every word */
static int
each(struct tool *tool, int argc, char **argv, const char *verb)
{
	uint64_t	count = 0, sum = 0;
	int		r = TOOL_OK;

	if (argc < 2)
		return TOOL_USAGE;
	for (int i = 1; i < argc; i++) {
		if (change_word(tool, verb, argv[i], &count) != TOOL_OK)
			r = TOOL_FAILED;
		else
			sum += count;
	}
	fprintf(stderr, "%s: %llu message%s\n", tool->name,
	    (unsigned long long)sum, sum == 1 ? "" : "s");
	return r;
}

/* verb_queue_flush - all, those for a site, or single ones */
int
verb_queue_flush(struct tool *tool, int argc, char **argv)
{
	uint64_t count;

	if (argc == 1)
		return queue_do(tool, "flush", "ALL", "", "", &count);
	if (argc == 3 && strcmp(argv[1], "--site") == 0)
		return flush_site(tool, argv[2]);
	return each(tool, argc, argv, "flush");
}

int
verb_queue_hold(struct tool *tool, int argc, char **argv)
{
	return each(tool, argc, argv, "hold");
}

int
verb_queue_release(struct tool *tool, int argc, char **argv)
{
	return each(tool, argc, argv, "release");
}

int
verb_queue_delete(struct tool *tool, int argc, char **argv)
{
	return each(tool, argc, argv, "delete");
}

int
verb_queue_requeue(struct tool *tool, int argc, char **argv)
{
	return each(tool, argc, argv, "requeue");
}

int
verb_queue_expire(struct tool *tool, int argc, char **argv)
{
	return each(tool, argc, argv, "expire");
}

/* compat_mailq - the list */
int
compat_mailq(struct tool *tool, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "C:v")) != -1) {
		if (c == 'C')
			tool->config_directory = optarg;
		else if (c == '?')
			return EX_USAGE;
	}
	if (optind < argc) {
		(void)tool_fail(tool, "usage: mailq [-v] [-C config_dir]");
		return EX_USAGE;
	}
	return queue_list(tool, QUEUE_MAILQ) == TOOL_OK ? TOOL_OK :
	    EX_UNAVAILABLE;
}

/* postqueue_usage - the status is that of sysexits.h: tried again, it would
 * be no better */
static int
postqueue_usage(const struct tool *tool)
{
	(void)tool_fail(tool, "usage: postqueue [-v] [-c config_dir] "
	    "-f | -i queue_id | -j | -p | -s site");
	return EX_USAGE;
}

/* compat_postqueue - -p, -j, -f, -i id, -s site */
int
compat_postqueue(struct tool *tool, int argc, char **argv)
{
	uint64_t	count;
	int		c, what = 0, r;
	const char	*arg = "";

	while ((c = getopt(argc, argv, "c:fi:jps:v")) != -1) {
		if (c == 'c')
			tool->config_directory = optarg;
		else if (c == '?' || (c != 'v' && what != 0))
			return postqueue_usage(tool);
		else if (c != 'v') {
			what = c;
			arg = optarg;
		}
	}
	switch (optind == argc ? what : 0) {
	case 'p':
		r = queue_list(tool, QUEUE_MAILQ);
		break;
	case 'j':
		r = queue_list(tool, QUEUE_JSON);
		break;
	case 'f':
		r = queue_do(tool, "flush", "ALL", "", "", &count);
		break;
	case 'i':
		r = queue_do(tool, "flush", arg, "", "", &count);
		break;
	case 's':
		r = flush_site(tool, arg);
		break;
	default:
		return postqueue_usage(tool);
	}
	return r == TOOL_OK ? TOOL_OK : EX_UNAVAILABLE;
}

/* postsuper_verb - what a letter of postsuper's does */
static const char *
postsuper_verb(int letter)
{
	switch (letter) {
	case 'd':
		return "delete";
	case 'h':
		return "hold";
	case 'H':
		return "release";
	case 'r':
		return "requeue";
	case 'e':
		return "expire";
	default:
		return NULL;
	}
}

/* what postsuper is to do, in order */
struct super {
	struct tool	*tool;
	struct {
		const char	*verb;
		const char	*id;		/* or ALL, or - */
	}		 action[SUPER_ACTIONS];
	size_t		 count;
	const char	*queues;		/* with blanks; "": all */
	uint64_t	 sum;
};

/* super_do - to one message, or ALL, of the queues that are named */
static int
super_do(struct super *s, const char *verb, const char *id)
{
	uint64_t	count = 0;
	int		r = queue_do(s->tool, verb, id, s->queues, "", &count);

	s->sum += count;
	return r;
}

/* super_stdin - "-" stands for ids on standard input, one a line */
static int
super_stdin(struct super *s, const char *verb)
{
	char	line[256];
	int	r = TOOL_OK;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, " \t\r\n")] = '\0';
		if (line[0] != '\0')
			r |= super_do(s, verb, line);
	}
	return r;
}

/* super_usage - a wrong command line: nothing was done */
static int
super_usage(const struct super *s)
{
	return tool_fail(s->tool, "usage: postsuper [-psSv] [-c config_dir] "
	    "[-d|-h|-H|-r|-e queue_id|ALL|-] [active|deferred|hold ...]");
}

/* super_options - all that is to be done is read before any of it is */
static int
super_options(struct super *s, int argc, char **argv, bool *ret_mend)
{
	int c;

	while ((c = getopt(argc, argv, "c:d:e:h:H:r:psSv")) != -1) {
		const char *verb = postsuper_verb(c);

		if (c == '?' || s->count == SUPER_ACTIONS)
			return super_usage(s);
		if (c == 'c')
			s->tool->config_directory = optarg;
		*ret_mend |= strchr("psS", c) != NULL;
		if (verb == NULL)
			continue;
		s->action[s->count].verb = verb;
		s->action[s->count++].id = optarg;
	}
	if (argc - optind > 3)
		return super_usage(s);
	for (s->queues = ""; optind < argc; optind++) {
		const char *name = argv[optind];

		if (!is_queue(name))
			return no_queue(s->tool, name);
		s->queues = arena_printf(&s->tool->arena, "%s %s", s->queues,
		    name).data;
	}
	return TOOL_OK;
}

/* compat_postsuper - -d -h -H -r -e with an id, ALL or -; and queues */
int
compat_postsuper(struct tool *tool, int argc, char **argv)
{
	struct super	s = { .tool = tool };
	bool		mend = false;	/* there is nothing to mend */
	int		r = TOOL_OK;

	if (super_options(&s, argc, argv, &mend) != TOOL_OK)
		return TOOL_FAILED;
	if (s.count == 0 && !mend)
		return super_usage(&s);
	for (size_t i = 0; i < s.count; i++)
		r |= strcmp(s.action[i].id, "-") == 0 ?
		    super_stdin(&s, s.action[i].verb) :
		    super_do(&s, s.action[i].verb, s.action[i].id);
	if (s.sum > 0)
		fprintf(stderr, "postsuper: %llu message%s\n",
		    (unsigned long long)s.sum, s.sum == 1 ? "" : "s");
	return r == TOOL_OK ? TOOL_OK : TOOL_FAILED;
}

/* compat_postcat - -q queue_id */
int
compat_postcat(struct tool *tool, int argc, char **argv)
{
	bool	by_id = false;
	int	c, r = TOOL_OK;

	while ((c = getopt(argc, argv, "bc:dehnoqv")) != -1) {
		if (c == 'c')
			tool->config_directory = optarg;
		else if (c == 'q')
			by_id = true;
		else if (c == '?')
			return TOOL_FAILED;
		else if (c != 'v')
			return tool_fail(tool, "-%c is not done here: a message "
			    "is shown whole, as it would go out", c);
	}
	if (!by_id || optind == argc)
		return tool_fail(tool, "usage: postcat [-c config_dir] -q "
		    "queue_id ...");
	for (; optind < argc; optind++)
		r |= queue_show(tool, argv[optind]);
	return r == TOOL_OK ? TOOL_OK : TOOL_FAILED;
}
