/* SPDX-License-Identifier: ISC */
/* barid queue; mailq, postqueue and postsuper. */
#include <getopt.h>
#include <stdio.h>

#include "tools/compat.h"
#include "tools/queue.h"
#include "tools/verbs.h"

#define EX_USAGE	64
#define EX_UNAVAILABLE	69

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

/* each - the same change for every word: ids, ALL, or ALL:QUEUE */
static int
each(struct tool *tool, int argc, char **argv, const char *verb)
{
	uint64_t	count = 0, sum = 0;
	int		r = TOOL_OK;

	if (argc < 2)
		return TOOL_USAGE;
	for (int i = 1; i < argc; i++) {
		const char *colon = strchr(argv[i], ':');
		const char *id = colon == NULL ? argv[i] : "ALL";

		if (queue_do(tool, verb, id, colon == NULL ? "" : colon + 1,
		    "", &count) != TOOL_OK)
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
		return queue_do(tool, "flush", "ALL", "", argv[2], &count);
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
	return queue_list(tool, QUEUE_MAILQ) == TOOL_OK ? TOOL_OK :
	    EX_UNAVAILABLE;
}

/* compat_postqueue - -p, -j, -f, -i id, -s site */
int
compat_postqueue(struct tool *tool, int argc, char **argv)
{
	uint64_t	count;
	int		c, what = 0, r = TOOL_USAGE;
	const char	*arg = "";

	while ((c = getopt(argc, argv, "c:fi:jps:v")) != -1) {
		if (c == 'c')
			tool->config_directory = optarg;
		else if (c == '?' || (c != 'v' && what != 0))
			return tool_usage(tool, "postqueue [-c config_dir] "
			    "-f | -i queue_id | -j | -p | -s site");
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
		r = queue_do(tool, "flush", "ALL", "", arg, &count);
		break;
	default:
		return tool_usage(tool, "postqueue [-c config_dir] "
		    "-f | -i queue_id | -j | -p | -s site");
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

/* from_stdin - "-" stands for ids on standard input, one a line */
static int
from_stdin(struct tool *tool, const char *verb, const char *queue)
{
	char		line[256];
	uint64_t	count;
	int		r = TOOL_OK;

	(void)queue;
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, " \t\r\n")] = '\0';
		if (line[0] != '\0' &&
		    queue_do(tool, verb, line, "", "", &count) != TOOL_OK)
			r = TOOL_FAILED;
	}
	return r;
}

/* compat_postsuper - -d -h -H -r -e with an id, ALL or -; and a queue */
int
compat_postsuper(struct tool *tool, int argc, char **argv)
{
	uint64_t	count = 0, sum = 0;
	int		c, r = TOOL_OK;
	bool		any = false;

	while ((c = getopt(argc, argv, "c:d:e:h:H:r:psSv")) != -1) {
		const char *verb = postsuper_verb(c);
		const char *queue;

		if (c == 'c')
			tool->config_directory = optarg;
		if (c == '?')
			return TOOL_FAILED;
		any |= strchr("psS", c) != NULL;	/* nothing to mend */
		if (verb == NULL)
			continue;
		any = true;
		queue = optind < argc && argv[optind][0] != '-' ?
		    argv[argc - 1] : "";
		if (strcmp(optarg, "-") == 0)
			r |= from_stdin(tool, verb, queue);
		else
			r |= queue_do(tool, verb, optarg, queue, "", &count);
		sum += r == TOOL_OK ? count : 0;
	}
	if (!any)
		return tool_fail(tool, "usage: postsuper [-c config_dir] "
		    "[-d|-h|-H|-r|-e queue_id|ALL|-] [queue]");
	if (sum > 0)
		fprintf(stderr, "postsuper: %llu message%s\n",
		    (unsigned long long)sum, sum == 1 ? "" : "s");
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
	}
	if (!by_id || optind == argc)
		return tool_fail(tool, "usage: postcat [-c config_dir] -q "
		    "queue_id ...");
	for (; optind < argc; optind++)
		r |= queue_show(tool, argv[optind]);
	return r == TOOL_OK ? TOOL_OK : TOOL_FAILED;
}
