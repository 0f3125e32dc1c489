/* SPDX-License-Identifier: ISC */
/* How tools speak to people. */
#include "tools/tool.h"

#include <stdarg.h>
#include <stdio.h>

#include "libutil/buf.h"
#include "libutil/conf.h"

/* say - one line on standard error */
static void
say(const struct tool *tool, const char *what, const char *format, va_list ap)
{
	fprintf(stderr, "%s: %s", tool->name, what);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
}

/* tool_fail - what is wrong */
int
tool_fail(const struct tool *tool, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(tool, "", format, ap);
	va_end(ap);
	return TOOL_FAILED;
}

/* tool_warn - what is odd */
void
tool_warn(const struct tool *tool, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(tool, "warning: ", format, ap);
	va_end(ap);
}

/* tool_fail_diag - what is wrong in a file */
int
tool_fail_diag(const struct tool *tool, const struct diag *diag)
{
	struct buf why = BUF_INIT;

	diag_format(&why, diag);
	fprintf(stderr, "%s: %s\n", tool->name, buf_cstr(&why));
	buf_free(&why);
	return TOOL_FAILED;
}

/* tool_usage - the command line is wrong */
int
tool_usage(const struct tool *tool, const char *text)
{
	fprintf(stderr, "%s: usage: %s\n", tool->name, text);
	return TOOL_USAGE;
}

/* tool_done - release what a tool holds */
void
tool_done(struct tool *tool)
{
	conf_free(&tool->conf);
	conf_free(&tool->defaults);
	arena_free(&tool->arena);
}
