/* SPDX-License-Identifier: ISC */
/*
 * Listening sockets. A service that is configured again with the same address
 * gets a copy of the socket that listens already, so a reload refuses nobody.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <fcntl.h>
#include <unistd.h>

#include "libutil/alloc.h"
#include "libutil/conf.h"
#include "master/master.h"
#include "master/master_events.h"

#define BACKLOG		1024

/* inherited - a copy of the socket that the running service has there */
static int
inherited(struct master *m, const struct service *s, const char *address)
{
	struct service *old = service_find(m, slice_of(s->name),
	    s->type == MASTERCF_INET);

	if (old == NULL)
		return -1;
	LIST_EACH(&old->listeners, link) {
		struct listener_fd *l =
		    CONTAINER_OF(link, struct listener_fd, link);

		if (strcmp(l->address, address) == 0)
			return fcntl(l->fd, F_DUPFD_CLOEXEC, 3);
	}
	return -1;
}

static void
add_listener(struct service *s, const char *address, int fd)
{
	struct listener_fd *l = NEW(struct listener_fd);

	list_init(&l->link);
	l->address = slice_dup(slice_of(address));
	l->fd = fd;
	list_add_tail(&s->listeners, &l->link);
}

/* listen_at - a new listening socket */
static int
listen_at(const struct addrinfo *ai)
{
	int	one = 1, fd, r;

	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	ignore(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	if (ai->ai_family == AF_INET6)
		ignore(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
		    sizeof(one)));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		r = -errno;
		fd_close(&fd);
		return r;
	}
	return fd;
}

static bool
wants_family(const struct conf *conf, int family)
{
	struct buf	b = BUF_INIT;
	struct slice	rest, item;
	const char	*name = family == AF_INET6 ? "ipv6" : "ipv4";
	bool		wants = false;

	ignore(conf_get(conf, S("inet_protocols"), &b, NULL));
	rest = buf_slice(&b);
	while (slice_next_word(&rest, ", \t\r\n", &item))
		if (slice_equal_nocase(item, S("all")) ||
		    slice_equal_nocase(item, slice_of(name)))
			wants = true;
	buf_free(&b);
	return wants;
}

/* advice - what to do about it */
static const char *
advice(int r)
{
	switch (r) {
	case -EADDRINUSE:
		return "; stop the program that does (ss -ltnp shows which)";
	case -EADDRNOTAVAIL:
		return "; see inet_interfaces in main.cf";
	case -EACCES:
		return "; a port below 1024 needs root";
	default:
		return "";
	}
}

/* listen_host - all addresses of one host (NULL: any address) */
static int
listen_host(struct master *m, struct service *s, const struct conf *conf,
    const char *host, const char *port, struct diag *diag)
{
	struct addrinfo	 hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
			    .ai_socktype = SOCK_STREAM }, *all, *ai;
	char		 text[300], num[64];
	int		 fd, e, count = 0, r = 0;

	if ((e = getaddrinfo(host, port, &hints, &all)) != 0)
		return diag_set(diag, 0, 0, "service %s: cannot listen on "
		    "%s:%s: %s", s->name, host == NULL ? "*" : host, port,
		    gai_strerror(e));
	for (ai = all; ai != NULL; ai = ai->ai_next) {
		if (!wants_family(conf, ai->ai_family))
			continue;
		ignore(getnameinfo(ai->ai_addr, ai->ai_addrlen, num,
		    sizeof(num), NULL, 0, NI_NUMERICHOST));
		(void)snprintf(text, sizeof(text), "[%s]:%s", num, port);
		fd = inherited(m, s, text);
		if (fd < 0)
			fd = listen_at(ai);
		if (fd >= 0) {
			add_listener(s, text, fd);
			count++;
		} else if (fd != -EAFNOSUPPORT) {
			r = fd;
			(void)diag_set(diag, 0, 0, "service %s: cannot listen "
			    "on %s: %s%s", s->name, text, strerror(-r),
			    advice(r));
			break;
		}
	}
	freeaddrinfo(all);
	if (r == 0 && count == 0)
		r = diag_set(diag, 0, 0, "service %s: no address to listen on; "
		    "see inet_interfaces and inet_protocols", s->name);
	return r;
}

/* listen_interfaces - an inet row without a host follows inet_interfaces */
static int
listen_interfaces(struct master *m, struct service *s,
    const struct conf *conf, const char *port, struct diag *diag)
{
	struct buf	b = BUF_INIT;
	struct slice	rest, item;
	int		r = 0;

	ignore(conf_get(conf, S("inet_interfaces"), &b, NULL));
	rest = buf_slice(&b);
	while (r == 0 && slice_next_word(&rest, ", \t\r\n", &item)) {
		char *host = slice_dup(item);

		if (slice_equal_nocase(item, S("all")))
			r = listen_host(m, s, conf, NULL, port, diag);
		else if (slice_equal_nocase(item, S("loopback-only")))
			r = listen_host(m, s, conf, "localhost", port, diag);
		else
			r = listen_host(m, s, conf, host, port, diag);
		free(host);
	}
	buf_free(&b);
	return r;
}

/* listen_public - a Unix socket in the file system, for local users */
int
listen_public(struct master *m, const char *path, mode_t mode, int *ret_fd,
    struct diag *diag)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };
	int			fd, r = 0;

	(void)m;
	if (strlen(path) >= sizeof(sun.sun_path))
		return diag_set(diag, 0, 0, "the path %s is too long for a "
		    "socket: choose a shorter queue_directory", path);
	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (unlink(path) < 0 && errno != ENOENT)
		r = -errno;
	else if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 ||
	    chmod(path, mode) < 0 || listen(fd, BACKLOG) < 0)
		r = -errno;
	if (r < 0) {
		(void)diag_set(diag, 0, 0, "cannot listen on %s: %s", path,
		    strerror(-r));
		fd_close(&fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

/* listen_local - a socket that local users connect to */
static int
listen_local(struct master *m, struct service *s, const char *name,
    const struct conf *conf, struct diag *diag)
{
	struct buf	b = BUF_INIT;
	int		fd, r = 0;

	ignore(conf_get(conf, S("queue_directory"), &b, NULL));
	buf_addf(&b, "/public/%s", name);
	fd = inherited(m, s, buf_cstr(&b));
	if (fd < 0)
		r = listen_public(m, buf_cstr(&b), 0666, &fd, diag);
	if (r == 0)
		add_listener(s, buf_cstr(&b), fd);
	buf_free(&b);
	return r;
}

/* service_listen - the sockets a service accepts clients on */
int
service_listen(struct master *m, struct service *s, const struct conf *conf,
    struct diag *diag)
{
	struct slice	host, port;
	char		*h, *p;
	int		r;

	if (strcmp(s->daemon->name, "pickup") == 0)
		return listen_local(m, s, "pickup", conf, diag);
	if (s->is_public)
		return listen_local(m, s, s->name, conf, diag);
	if (s->type != MASTERCF_INET)
		return 0;
	if ((r = mastercf_split_inet(slice_of(s->name), &host, &port)) < 0)
		return diag_set(diag, 0, 0, "service %s: not a port or "
		    "host:port", s->name);
	h = slice_dup(host);
	p = slice_dup(port);
	if (h[0] == '\0')
		r = listen_interfaces(m, s, conf, mastercf_port(p), diag);
	else
		r = listen_host(m, s, conf, h, mastercf_port(p), diag);
	free(h);
	free(p);
	return r;
}
