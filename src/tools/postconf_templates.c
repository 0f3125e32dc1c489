/* SPDX-License-Identifier: ISC */
/* postconf -t and -b: the words of delivery reports, as they are written, or
 * with all $names replaced. The output of -t is a bounce_template_file. */
#include <stdio.h>

#include "libmail/dsn_template.h"
#include "libutil/buf.h"
#include "libutil/conf.h"
#include "tools/conf_view.h"

static const char *const kinds[DSN_KIND_COUNT] = {
	[DSN_FAILURE] = "failure", [DSN_DELAY] = "delay",
	[DSN_SUCCESS] = "success", [DSN_VERIFY] = "verify",
};

/* lookup - the value of a parameter */
static bool
lookup(void *arg, struct slice name, struct slice *ret_value)
{
	struct tool	*tool = arg;
	const char	*value = tool_value(tool,
			    arena_text(&tool->arena, name));

	*ret_value = slice_of(value);
	return value[0] != '\0';
}

/* print_text - in which lines may end in CRLF */
static void
print_text(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] != '\r')
			putchar(text.data[i]);
}

static void
print_template(const struct dsn_template *t, const char *kind)
{
	printf("%s_template = <<EOF\nCharset: %.*s\nFrom: %.*s\n"
	    "Subject: %.*s\n", kind, SLICE_ARG(t->charset), SLICE_ARG(t->from),
	    SLICE_ARG(t->subject));
	if (t->postmaster_subject.len > 0)
		printf("Postmaster-Subject: %.*s\n",
		    SLICE_ARG(t->postmaster_subject));
	putchar('\n');
	print_text(t->text);
	printf("EOF\n");
}

static void
print_expanded(struct tool *tool, const struct dsn_template *t,
    const char *kind)
{
	struct buf b = BUF_INIT;

	printf("expanded_%s_text = <<EOF\n", kind);
	dsn_template_expand(&b, t->text, lookup, tool);
	print_text(buf_slice(&b));
	printf("EOF\n");
	buf_free(&b);
}

/* postconf_templates - of a file; "": the built-in ones; NULL: what counts */
int
postconf_templates(struct tool *tool, bool expand, const char *path)
{
	struct dsn_templates	all = dsn_templates_builtin;
	struct diag		diag = DIAG_INIT;
	struct slice		text;

	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	if (path == NULL)
		path = tool_value(tool, "bounce_template_file");
	diag_file(&diag, path);
	if (path[0] != '\0' &&
	    (tool_read_file(tool, path, &text) != 0 ||
	    dsn_template_parse(text, &all, &diag) < 0))
		return diag.text[0] == '\0' ? TOOL_FAILED :
		    tool_fail_diag(tool, &diag);
	for (size_t i = 0; i < DSN_KIND_COUNT; i++) {
		if (i > 0)
			putchar('\n');
		if (expand)
			print_expanded(tool, &all.of[i], kinds[i]);
		else
			print_template(&all.of[i], kinds[i]);
	}
	return TOOL_OK;
}
