/* SPDX-License-Identifier: ISC */
/* barid check: everything that would fail, before it does. */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "libutil/buf.h"
#include "libutil/json_write.h"
#include "tools/check.h"
#include "tools/tables.h"
#include "tools/verbs.h"

static const char *const level_names[] = { "note", "warning", "error" };

/* print_json - one finding as one object on a line */
static void
print_json(enum check_level level, const char *where, const char *text)
{
	struct buf		b = BUF_INIT;
	struct json_writer	w = json_writer_into(&b);

	json_object_begin(&w);
	json_key(&w, S("level"));
	json_text(&w, level_names[level]);
	json_key(&w, S("where"));
	json_text(&w, where);
	json_key(&w, S("text"));
	json_text(&w, text);
	json_object_end(&w);
	json_writer_end(&w);
	printf("%.*s\n", SLICE_ARG(buf_slice(&b)));
	buf_free(&b);
}

/* check_found - count a finding, and say it */
void
check_found(struct check *c, enum check_level level, const char *where,
    const char *format, ...)
{
	char	text[1024];
	va_list	ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	c->count[level]++;
	if (c->tool->json)
		print_json(level, where, text);
	else
		printf("%s: %s%s%s\n", level_names[level], where,
		    where[0] == '\0' ? "" : ": ", text);
}

/* check_found_diag - the same for what a parser found */
void
check_found_diag(struct check *c, enum check_level level,
    const struct diag *diag)
{
	char where[300];

	if (diag->line > 0)
		(void)snprintf(where, sizeof(where), "%s:%u", diag->file,
		    diag->line);
	else
		(void)snprintf(where, sizeof(where), "%s", diag->file);
	check_found(c, level, where, "%s", diag->text);
}

/* verb_check - look at everything */
int
verb_check(struct tool *tool, int argc, char **argv)
{
	struct check	c = { .tool = tool };
	unsigned	errors;

	(void)argv;
	if (argc != 1)
		return TOOL_USAGE;
	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	for (const struct tables_params *t = tables_params; t->table != NULL; t++)
		param_defaults(tool->defaults, t->table);
	c.master_cf = arena_printf(&tool->arena, "%s/master.cf",
	    tool->config_directory).data;
	check_parameters(&c);
	check_services(&c);
	check_users(&c);
	check_folders(&c);
	check_programs(&c);
	check_tables(&c);
	check_mail(&c);
	check_certificates(&c);
	check_name(&c);
	check_kernel(&c);
	check_ports(&c);
	errors = c.count[CHECK_ERROR];
	if (!tool->json)
		printf("%u error%s, %u warning%s\n", errors,
		    errors == 1 ? "" : "s", c.count[CHECK_WARNING],
		    c.count[CHECK_WARNING] == 1 ? "" : "s");
	return errors == 0 ? TOOL_OK : TOOL_FAILED;
}
