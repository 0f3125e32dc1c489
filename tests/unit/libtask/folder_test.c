/* SPDX-License-Identifier: ISC */
/* folder: which paths name a folder that can be flushed. That a flush makes
 * names last is what the power-cut test shows. */
#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "libtask/folder.h"
#include "libtask/io.h"

TEST(folder_sync_of)
{
	static const struct { const char *path; int want; } cases[] = {
		{ "/tmp/x",			0 },	/* need not be there */
		{ "/tmp",			0 },	/* the root */
		{ "x",				0 },	/* the current one */
		{ "/nonexistent/x",		-ENOENT },
		{ "/etc/passwd/x",		-ENOTDIR },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_INT(folder_sync_of(cases[i].path), cases[i].want, i);
}

TEST(folder_sync)
{
	int	fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK_INT(folder_sync(fd, "."), 0, 0);
	CHECK_INT(folder_sync(fd, "tmp"), 0, 0);
	CHECK_INT(folder_sync(fd, "etc/passwd"), -ENOTDIR, 0);
	CHECK_INT(folder_sync(fd, "nonexistent"), -ENOENT, 0);
	fd_close(&fd);
	CHECK_INT(folder_sync(fd, "tmp"), -EBADF, 0);
}
