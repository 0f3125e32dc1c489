/* SPDX-License-Identifier: ISC */
/*
 * barid trace: the way of a message through the log, by its queue id, its
 * Message-ID or an address. Lines are read twice: first those that have the
 * word give queue ids, and reports give the ids of the messages they are
 * about; then every line of one of those ids is printed, in order.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "libmail/queue_id.h"
#include "libutil/conf.h"
#include "libutil/hash.h"
#include "tools/verbs.h"

#define PASSES_MAX	8	/* reports of reports */
#define IDS_MAX		100000

struct trace {
	struct tool	*tool;
	struct slice	 wanted;
	struct hash	 ids;
	bool		 grew;
	uint64_t	 printed;
};

/* next_id - the next queue id that stands in the text */
static bool
next_id(struct slice *rest, struct queue_id *ret_id)
{
	struct slice word;

	while (slice_next_word(rest, " \t:;,()<>[]=\"", &word))
		if (queue_id_parse(word, ret_id) == 0)
			return true;
	return false;
}

static void
learn(struct trace *t, const struct queue_id *id)
{
	if (t->ids.count >= IDS_MAX ||
	    hash_get(&t->ids, queue_id_text(id)) != NULL)
		return;
	(void)hash_put(&t->ids, queue_id_text(id), t);
	t->grew = true;
}

/* joins - does the line tie a report to its message? */
static bool
joins(struct slice line)
{
	return slice_find_slice(line, S("notification: ")) != SLICE_NONE;
}

/* concerns - is one of our ids in the line? */
static bool
concerns(struct trace *t, struct slice line)
{
	struct queue_id id;

	while (next_id(&line, &id))
		if (hash_get(&t->ids, queue_id_text(&id)) != NULL)
			return true;
	return false;
}

/* look - learn the ids of a line */
static void
look(struct trace *t, struct slice line)
{
	struct slice	rest = line;
	struct queue_id	id;

	if (slice_find_slice(line, t->wanted) == SLICE_NONE &&
	    !(joins(line) && concerns(t, line)))
		return;
	while (next_id(&rest, &id))
		learn(t, &id);
}

static void
print(struct trace *t, struct slice line)
{
	if (!concerns(t, line) &&
	    slice_find_slice(line, t->wanted) == SLICE_NONE)
		return;
	printf("%.*s\n", SLICE_ARG(line));
	t->printed++;
}

/* each_line - of a log file */
static int
each_line(struct trace *t, FILE *f, void (*fn)(struct trace *t,
    struct slice line))
{
	char	*line = NULL;
	size_t	 cap = 0;
	ssize_t	 n;
	int	 r;

	if (fseek(f, 0, SEEK_SET) < 0)
		return -errno;
	while ((n = getline(&line, &cap, f)) >= 0)
		fn(t, slice_trim(slice_over(line, (size_t)n)));
	r = ferror(f) ? -EIO : 0;
	free(line);
	return r;
}

/* trace_file - all passes over one file */
static int
trace_file(struct trace *t, const char *path)
{
	FILE	*f = fopen(path, "re");
	int	 r = 0;

	if (f == NULL)
		return tool_fail(t->tool, "cannot read %s: %s", path,
		    strerror(errno));
	for (int pass = 0; r == 0 && pass < PASSES_MAX; pass++) {
		t->grew = false;
		r = each_line(t, f, look);
		if (!t->grew)
			break;
	}
	if (r == 0)
		r = each_line(t, f, print);
	(void)fclose(f);	/* it was read only */
	return r == 0 ? TOOL_OK : tool_fail(t->tool, "cannot read %s: %s",
	    path, strerror(-r));
}

/* log_path - where logd writes */
static const char *
log_path(struct tool *tool)
{
	const char *path = tool_value(tool, "maillog_file");

	return path[0] != '\0' ? path : arena_printf(&tool->arena,
	    "%s/log/maillog", tool_value(tool, "data_directory")).data;
}

/* verb_trace - a word, and maybe other log files than the present one */
int
verb_trace(struct tool *tool, int argc, char **argv)
{
	struct trace	t = { .tool = tool, .ids = HASH_INIT };
	int		r = TOOL_OK;

	if (argc < 2 || argv[1][0] == '\0')
		return TOOL_USAGE;
	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	t.wanted = slice_of(argv[1]);
	if (argc == 2)
		r = trace_file(&t, log_path(tool));
	for (int i = 2; i < argc && r == TOOL_OK; i++)
		r = trace_file(&t, argv[i]);
	if (r == TOOL_OK && t.printed == 0)
		r = tool_fail(tool, "nothing in %s has \"%s\"%s",
		    argc > 2 ? "these files" : "the log", argv[1],
		    argc > 2 ? "" : "; name older log files behind it");
	hash_free(&t.ids);
	return r;
}
