/* SPDX-License-Identifier: ISC */
/*
 * The barid command: barid [-c config_directory] NOUN VERB ... Called by
 * another name it is that tool of Postfix's: see compat.def.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "libutil/hash.h"
#include "tools/compat.h"
#include "tools/verbs.h"

const struct verb verbs_table[] = {
#define VERB(noun, verb, function, arguments, sentence) \
	{ noun, verb, function, arguments, sentence },
#include "tools/verbs.def"
	{ NULL, NULL, NULL, NULL, NULL },
};

/* help_verb - one command */
static void
help_verb(FILE *to, const struct verb *v)
{
	fprintf(to, "barid %s%s%s%s%s\n        %s\n", v->noun,
	    v->verb[0] == '\0' ? "" : " ", v->verb,
	    v->arguments[0] == '\0' ? "" : " ", v->arguments, v->sentence);
}

/* help - all verbs, or those of one noun */
static int
help(FILE *to, const char *noun)
{
	bool found = false;

	if (noun == NULL)
		fprintf(to, "usage: barid [-c config_directory] "
		    "COMMAND ...\n\n");
	for (const struct verb *v = verbs_table; v->noun != NULL; v++) {
		if (noun != NULL && strcmp(noun, v->noun) != 0)
			continue;
		found = true;
		help_verb(to, v);
	}
	if (!found)
		fprintf(stderr, "barid: there is no command %s; \"barid help\" "
		    "lists them\n", noun);
	return found && to == stdout ? TOOL_OK : TOOL_USAGE;
}

/* find - the verb that the words name, and how many words that took */
static const struct verb *
find(int argc, char **argv, int *ret_words)
{
	for (const struct verb *v = verbs_table; v->noun != NULL; v++) {
		if (strcmp(v->noun, argv[0]) != 0)
			continue;
		if (v->verb[0] == '\0') {
			*ret_words = 1;
			return v;
		}
		if (argc > 1 && strcmp(v->verb, argv[1]) == 0) {
			*ret_words = 2;
			return v;
		}
	}
	return NULL;
}

/* wants_help - is --help among the words? */
static bool
wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0)
			return true;
	return false;
}

/* unknown - no such command; those of the noun are, if it is one */
static int
unknown(int argc, char **argv)
{
	if (wants_help(argc, argv))
		return help(stdout, argv[0]);
	if (argc > 1 && argv[1][0] != '-')
		fprintf(stderr, "barid: there is no command %s %s\n", argv[0],
		    argv[1]);
	return help(stderr, argv[0]);
}

/* take_json - is --json among the words? then it is taken out */
static bool
take_json(int *argc, char **argv)
{
	bool	found = false, over = false;
	int	n = 0;

	for (int i = 0; i < *argc; i++) {
		over |= strcmp(argv[i], "--") == 0;
		if (i > 0 && !over && strcmp(argv[i], "--json") == 0)
			found = true;
		else
			argv[n++] = argv[i];
	}
	*argc = n;
	argv[n] = NULL;
	return found;
}

/* barid - run one verb */
static int
barid(int argc, char **argv, struct tool *tool)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const struct verb	*v;
	int			 c, words, r;

	while ((c = getopt_long(argc, argv, "+c:h", longs, NULL)) != -1) {
		if (c != 'c')
			return help(c == 'h' ? stdout : stderr, NULL);
		tool->config_directory = optarg;
	}
	argc -= optind;
	argv += optind;
	if (argc == 0)
		return help(stderr, NULL);
	if (strcmp(argv[0], "help") == 0)
		return help(stdout, argc > 1 ? argv[1] : NULL);
	if (strcmp(argv[0], "version") == 0) {
		printf("barid %s\n", BARID_VERSION);
		return TOOL_OK;
	}
	v = find(argc, argv, &words);
	if (v == NULL)
		return unknown(argc, argv);
	if (wants_help(argc, argv)) {
		help_verb(stdout, v);
		return TOOL_OK;
	}
	tool->noun = v->noun;
	tool->verb = v->verb;
	tool->name = arena_printf(&tool->arena, "barid %s%s%s", v->noun,
	    words > 1 ? " " : "", v->verb).data;
	argc -= words - 1;
	argv += words - 1;
	tool->json = take_json(&argc, argv);
	optind = 0;	/* forget the "+" of above: glibc */
	/* who reads JSON is not to be given something else */
	if (tool->json && strstr(v->arguments, "--json") == NULL)
		r = TOOL_USAGE;
	else
		r = v->run(tool, argc, argv);
	return r == TOOL_USAGE ? tool_usage(tool, arena_printf(&tool->arena,
	    "%s%s%s", tool->name, v->arguments[0] == '\0' ? "" : " ",
	    v->arguments).data) : r;
}

int
main(int argc, char **argv)
{
	struct tool	 tool = { .name = "barid",
			    .config_directory = BARID_CONFIG_DIRECTORY };
	const char	*slash = strrchr(argv[0], '/');
	const char	*name = slash == NULL ? argv[0] : slash + 1;
	tool_verb	*compat = compat_find(name);
	uint64_t	 key[2];
	int		 r;

	if (getrandom(key, sizeof(key), 0) == (ssize_t)sizeof(key))
		hash_set_key(key[0], key[1]);	/* before any hash is made */
	(void)signal(SIGPIPE, SIG_IGN);
	if (getenv("MAIL_CONFIG") != NULL && geteuid() == getuid())
		tool.config_directory = getenv("MAIL_CONFIG");
	if (compat != NULL) {
		tool.name = name;
		r = compat(&tool, argc, argv);
	} else
		r = barid(argc, argv, &tool);
	tool_done(&tool);
	if (fflush(stdout) != 0 && r == TOOL_OK)
		r = TOOL_FAILED;
	return r;
}
