/* SPDX-License-Identifier: ISC */
/* The configuration as tools see it, and files as tools write them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/suite_conf.h"
#include "libtask/folder.h"
#include "libtask/io.h"
#include "libutil/buf.h"
#include "libutil/conf.h"
#include "tools/tool.h"

/* tool_conf - have the configuration read */
int
tool_conf(struct tool *tool)
{
	struct diag diag = DIAG_INIT;

	if (tool->conf != NULL)
		return 0;
	if (suite_conf_load(tool->config_directory, &tool->arena,
	    &tool->defaults, &tool->conf, &tool->cf, &diag) == 0)
		return 0;
	conf_free(&tool->conf);
	conf_free(&tool->defaults);
	return tool_fail_diag(tool, &diag);
}

/* tool_value - an expanded value */
const char *
tool_value(struct tool *tool, const char *param)
{
	struct buf	b = BUF_INIT;
	const char	*value;

	ignore(conf_get(tool->conf, slice_of(param), &b, NULL)); /* then "" */
	value = arena_text(&tool->arena, buf_slice(&b));
	buf_free(&b);
	return value;
}

/* tool_read_file - the text of a file */
int
tool_read_file(struct tool *tool, const char *path, struct slice *ret_text)
{
	struct diag	 diag = DIAG_INIT;
	const char	*whole;

	if (suite_conf_read_file(path[0] == '/' ? "" : ".",
	    path[0] == '/' ? path + 1 : path, &tool->arena, ret_text, &whole,
	    &diag) == 0)
		return 0;
	return tool_fail_diag(tool, &diag);
}

/* write_all - the text into the new file, durably */
static int
write_all(int fd, struct slice text)
{
	while (text.len > 0) {
		ssize_t n = write(fd, text.data, text.len);

		if (n < 0 && errno != EINTR)
			return -errno;
		text = slice_from(text, n < 0 ? 0 : (size_t)n);
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* tool_write_file - put a text in the place of a file */
int
tool_write_file(struct tool *tool, const char *path, struct slice text)
{
	struct slice	temporary;
	struct stat	st = { .st_mode = 0644 };
	bool		existed;
	int		fd, r = 0;

	existed = stat(path, &st) == 0;
	temporary = arena_printf(&tool->arena, "%s.%d.tmp", path, (int)getpid());
	fd = open(temporary.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return tool_fail(tool, "cannot make %s: %s", temporary.data,
		    strerror(errno));
	if ((existed && fchown(fd, st.st_uid, st.st_gid) < 0) ||
	    fchmod(fd, st.st_mode & 07777) < 0)
		r = -errno;
	if (r == 0)
		r = write_all(fd, text);
	fd_close(&fd);
	if (r == 0 && rename(temporary.data, path) < 0)
		r = -errno;
	if (r == 0)
		r = folder_sync_of(path);
	else
		(void)unlink(temporary.data);
	return r == 0 ? 0 : tool_fail(tool, "cannot write %s: %s", path,
	    strerror(-r));
}
