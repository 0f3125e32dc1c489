/* SPDX-License-Identifier: ISC */
/*
 * The socket is connected anew for each message: there are few, and a service
 * manager that was itself replaced has another socket of the same name.
 */
#include "libtask/notify.h"

#include <stddef.h>
#include <sys/un.h>

#include "libtask/io.h"

/* parse_address - of that name; *ret_len counts what is used of it */
static int
parse_address(const char *name, struct sockaddr_un *ret_un, socklen_t *ret_len)
{
	struct sockaddr_un	un = { .sun_family = AF_UNIX };
	size_t			len = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || len < 2 ||
	    len >= sizeof(un.sun_path))
		return -EINVAL;
	memcpy(un.sun_path, name, len);
	if (name[0] == '@')
		un.sun_path[0] = '\0';
	*ret_un = un;
	/* a name without a path ends where its bytes do, not at a NUL */
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len +
	    (name[0] == '/'));
	return 0;
}

/* notify_send - one message */
int
notify_send(struct task *t, const char *socket_name, struct slice lines)
{
	struct sockaddr_un	un;
	struct deadline		d;
	struct io		io = IO_INIT;
	socklen_t		len;
	int			fd, r;

	if ((r = parse_address(socket_name, &un, &len)) < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&un, len) < 0)
		r = -errno;
	io_open(&io, task_loop(t), &fd);
	if (r == 0) {
		deadline_begin(t, &d, NOTIFY_LIMIT);
		r = io_write_all(t, &io, lines);
		r = deadline_end(t, &d, r);
	}
	io_close(&io);
	return r;
}
