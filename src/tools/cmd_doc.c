/* SPDX-License-Identifier: ISC */
/* barid doc: manual pages and doc/ipc.md from the tables, for the build. */
#include <errno.h>
#include <stdio.h>

#include "libglobal/daemons.h"
#include "libutil/buf.h"
#include "tools/doc.h"
#include "tools/tables.h"
#include "tools/verbs.h"

/* is_part - does the line ask for a part? "@NAME@", "@NAME argument@" */
static bool
is_part(struct slice line, struct slice *ret_name, struct slice *ret_argument)
{
	if (line.len < 3 || line.data[0] != '@' ||
	    line.data[line.len - 1] != '@')
		return false;
	line = slice_sub(line, 1, line.len - 2);
	*ret_name = slice_split(&line, ' ');
	*ret_argument = slice_trim(line);
	return true;
}

/* print - put out what was made */
static int
print(struct tool *tool, struct buf *out, int r)
{
	if (r < 0)
		r = tool_fail(tool, "%s", strerror(-r));
	else if (fwrite(out->data, 1, out->len, stdout) != out->len)
		r = tool_fail(tool, "cannot write");
	buf_free(out);
	return r;
}

/* verb_doc_page - a manual page from its source */
int
verb_doc_page(struct tool *tool, int argc, char **argv)
{
	struct slice	text, line, name, argument;
	struct buf	out = BUF_INIT;
	unsigned	number = 0;
	int		r;

	if (argc != 2)
		return TOOL_USAGE;
	if ((r = tool_read_file(tool, argv[1], &text)) != 0)
		return r;
	while (!slice_is_empty(text)) {
		line = slice_split(&text, '\n');
		number++;
		if (!is_part(line, &name, &argument)) {
			buf_add(&out, line);
			buf_add_byte(&out, '\n');
		} else if (doc_part(&out, name, argument) < 0) {
			buf_free(&out);
			return tool_fail(tool, "%s:%u: there is no part %.*s",
			    argv[1], number, SLICE_ARG(line));
		}
	}
	return print(tool, &out, buf_check(&out));
}

/* verb_doc_ipc - doc/ipc.md */
int
verb_doc_ipc(struct tool *tool, int argc, char **argv)
{
	struct buf	out = BUF_INIT;
	int		r;

	(void)argv;		/* it takes no words */
	if (argc != 1)
		return TOOL_USAGE;
	r = doc_ipc(&out);
	return print(tool, &out, r);
}

/* verb_doc_names - what must be in a manual page: "page kind name" lines */
int
verb_doc_names(struct tool *tool, int argc, char **argv)
{
	(void)tool;		/* nothing goes wrong here */
	(void)argv;
	if (argc != 1)
		return TOOL_USAGE;
	for (const struct daemon_row *d = daemons_table; d->name != NULL; d++)
		printf("%s.8 daemon %s\n", d->name, d->name);
	for (const struct tables_params *t = tables_params; t->table; t++)
		for (size_t i = 0; i < t->table->count; i++)
			printf("%s param %s\n", t->page,
			    t->table->params[i].name);
	for (const struct tables_events *t = tables_events; t->table; t++)
		for (size_t i = 0; i < t->table->count; i++)
			printf("%s event %s\n", t->page,
			    t->table->events[i]->name);
	return TOOL_OK;
}
