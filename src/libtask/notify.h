/* SPDX-License-Identifier: ISC */
/*
 * notify: one message to the service manager that started this process
 * (sd_notify(3), but without its library): lines of NAME=value in a datagram
 * to the socket that the environment variable NOTIFY_SOCKET names. For
 * master.
 */
#ifndef LIBTASK_NOTIFY_H
#define LIBTASK_NOTIFY_H

#include "libtask/task.h"
#include "libutil/slice.h"

/* how long a service manager may take to read what was said before, ms */
#define NOTIFY_LIMIT	5000

/* Send them as one message to that socket: a path, or '@' and a name without
 * one. -EINVAL: it names no socket; -ETIMEDOUT: nobody reads there. */
MUST_USE int	notify_send(struct task *t, const char *socket_name,
		    struct slice lines);

#endif
