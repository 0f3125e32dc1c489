/* SPDX-License-Identifier: ISC */
/* Passwords on their way from an administrator to authd. */
#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "tools/tool.h"

/* tool_password_hash - as crypt(5) writes it, by the system's best method */
const char *
tool_password_hash(struct tool *tool, const char *password)
{
	struct crypt_data	*data = arena_alloc(&tool->arena, sizeof(*data));
	char			 setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char		*hash;

	if (crypt_gensalt_rn(NULL, 0, NULL, 0, setting, sizeof(setting)) == NULL)
		return NULL;
	hash = crypt_rn(password, setting, data, sizeof(*data));
	return hash == NULL || hash[0] == '*' ? NULL :
	    arena_text(&tool->arena, slice_of(hash));
}

/* read_line - a line without its end; NULL at the end of the input */
static char *
read_line(struct tool *tool)
{
	char	line[1024], *copy;
	size_t	len;

	if (fgets(line, sizeof(line), stdin) == NULL)
		return NULL;
	len = strcspn(line, "\r\n");
	copy = arena_text(&tool->arena, slice_over(line, len));
	explicit_bzero(line, sizeof(line));
	return copy;
}

/* tool_password_read - without echo on a terminal */
int
tool_password_read(struct tool *tool, const char *prompt,
    const char **ret_password)
{
	struct termios	before, quiet;
	bool		terminal = tcgetattr(STDIN_FILENO, &before) == 0;
	char		*line;

	if (terminal) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		fprintf(stderr, "%s: ", prompt);
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	line = read_line(tool);
	if (terminal) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	if (line == NULL || line[0] == '\0')
		return tool_fail(tool, "no password was given");
	*ret_password = line;
	return 0;
}
