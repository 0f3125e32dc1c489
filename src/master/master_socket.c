/* SPDX-License-Identifier: ISC */
/*
 * LMTP servers on sockets of the file system. The client, smtp(8), sees no
 * files and may open no such socket: it asks here. A path is opened if the
 * configuration names it, either in a transport (SERVICE:unix:PATH) of some
 * parameter or in lmtp_unix_paths; so whoever takes the client over reaches
 * LMTP servers and nothing else. Paths in tables are not looked for: routing
 * is another process's word.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "libutil/conf.h"
#include "master/master.h"

/* a transport's value is cut here; braces and = are of inline: tables */
#define SEPARATORS	", \t\r\n{}="

/* absolute - paths are below queue_directory, as Postfix's daemons saw them */
static void
absolute(struct master *m, struct slice path, struct buf *out)
{
	if (path.len == 0 || path.data[0] != '/')
		buf_addf(out, "%s/", master_path(m, "queue_directory"));
	buf_add(out, path);
}

/* climbs - has it a ".." in it? Then its beginning tells nothing. */
static bool
climbs(struct slice path)
{
	while (path.len > 0)
		if (slice_equal(slice_split(&path, '/'), S("..")))
			return true;
	return false;
}

/* covers - is the path that one, or in that folder? */
static bool
covers(struct master *m, struct slice named, struct slice path)
{
	struct buf	b = BUF_INIT;
	bool		yes;

	absolute(m, named, &b);
	yes = slice_has_suffix(named, S("/")) ?
	    slice_has_prefix(path, buf_slice(&b)) :
	    slice_equal(path, buf_slice(&b));
	buf_free(&b);
	return yes;
}

/* is_client - is there an SMTP or LMTP client of that name? */
static bool
is_client(struct master *m, struct slice service)
{
	const struct service *s = service_find(m, service, false);

	return s != NULL && strcmp(s->daemon->name, "smtp") == 0;
}

/* names - does a parameter's value have a transport that leads there? */
static bool
names(struct master *m, struct slice value, struct slice path)
{
	struct slice	word;

	while (slice_next_word(&value, SEPARATORS, &word)) {
		size_t at = slice_find_slice(word, S(":unix:"));

		if (at != SLICE_NONE && is_client(m, slice_sub(word, 0, at)) &&
		    covers(m, slice_from(word, at + 6), path))
			return true;
	}
	return false;
}

/* allowed - does the configuration name it? */
static bool
allowed(struct master *m, struct slice path)
{
	const struct param_list		*l = &m->params.lmtp_unix_paths;
	const struct conf_entry		*e;
	struct buf			 value = BUF_INIT;
	size_t				 at = 0;
	bool				 yes = false;

	if (climbs(path))
		return false;
	for (size_t i = 0; i < l->count && !yes; i++)
		yes = covers(m, l->item[i], path);
	while (!yes && (e = conf_each(m->conf, &at)) != NULL) {
		buf_reset(&value);
		yes = conf_get(m->conf, e->name, &value, NULL) == 0 &&
		    names(m, buf_slice(&value), path);
	}
	buf_free(&value);
	return yes;
}

/* connect_to - never waits: a server whose backlog is full is tried later */
static int
connect_to(struct slice path, int *ret_fd)
{
	struct sockaddr_un	un = { .sun_family = AF_UNIX };
	int			fd, r = 0;

	if (path.len >= sizeof(un.sun_path))
		return -ENAMETOOLONG;
	memcpy(un.sun_path, path.data, path.len);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) < 0) {
		r = -errno;
		fd_close(&fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

/* socket_connect - for a process of ours that may not do so itself */
int
socket_connect(struct master *m, const struct process *p, struct slice path,
    int *ret_fd)
{
	struct buf	b = BUF_INIT;
	int		r = -EPERM;

	absolute(m, path, &b);
	if (strcmp(p->daemon->name, "smtp") == 0 &&
	    slice_find(path, '\0') == SLICE_NONE && allowed(m, buf_slice(&b)))
		r = connect_to(buf_slice(&b), ret_fd);
	buf_free(&b);
	return r;
}
