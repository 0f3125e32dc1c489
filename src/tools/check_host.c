/* SPDX-License-Identifier: ISC */
/* The host: users, what the kernel can confine, the name, free ports. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libglobal/process_limits.h"
#include "libglobal/sandbox_rows.h"
#include "libtask/io.h"
#include "libutil/buf.h"
#include "libutil/conf.h"
#include "tools/check.h"

/* add_missing - a name to a list of names */
static void
add_missing(struct buf *out, const char *name)
{
	struct slice rest = buf_slice(out), word;

	while (slice_next_word(&rest, ", ", &word))
		if (slice_equal(word, slice_of(name)))
			return;
	buf_addf(out, "%s%s", out->len == 0 ? "" : ", ", name);
}

/* check_users - has each daemon a user and a group of its own? */
void
check_users(struct check *c)
{
	struct buf		 users = BUF_INIT, groups = BUF_INIT;
	const struct sandbox_row *row;
	const struct passwd	*pw;
	enum check_level	 level = geteuid() == 0 ? CHECK_WARNING :
				    CHECK_NOTE;	/* they count for root only */
	char			 name[64];

	for (size_t i = 0; (row = sandbox_row_at(i)) != NULL; i++) {
		if (row->user[0] == '\0')
			continue;
		(void)snprintf(name, sizeof(name), "barid-%s", row->user);
		pw = getpwnam(name);
		if (pw == NULL)
			add_missing(&users, name);
		else if (pw->pw_uid == 0)
			check_found(c, CHECK_ERROR, name, "is root (user 0); "
			    "give it a number of its own");
		(void)snprintf(name, sizeof(name), "barid-%s", row->group);
		if (getgrnam(name) == NULL)
			add_missing(&groups, name);
	}
	if (users.len > 0)
		check_found(c, level, "users", "missing: %.*s; started "
		    "by root, these daemons share the user %s and are not "
		    "protected from each other. systemd-sysusers makes them",
		    SLICE_ARG(buf_slice(&users)),
		    getpwnam(tool_value(c->tool, "mail_owner")) == NULL ?
		    "nobody" : tool_value(c->tool, "mail_owner"));
	if (groups.len > 0)
		check_found(c, level, "groups", "missing: %.*s; "
		    "systemd-sysusers makes them",
		    SLICE_ARG(buf_slice(&groups)));
	if (geteuid() != 0)
		check_found(c, CHECK_NOTE, "", "not run by root: what only "
		    "root can see was not checked");
	buf_free(&users);
	buf_free(&groups);
}

/* read_number - of a file of the kernel's */
static int
read_number(const char *path, uint32_t *ret_number)
{
	char	text[32];
	ssize_t	n;
	int	fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text));
	fd_close(&fd);
	return n <= 0 ? -EIO : slice_to_u32(slice_trim(slice_over(text,
	    (size_t)n)), INT32_MAX, ret_number);
}

/* may_raise_files - could master have more than its limit? It is tried, and
 * taken back */
static bool
may_raise_files(void)
{
	struct rlimit	now, more;

	if (getrlimit(RLIMIT_NOFILE, &now) < 0)
		return false;
	more = (struct rlimit){ now.rlim_cur, FILES_LEAST };
	if (setrlimit(RLIMIT_NOFILE, &more) < 0)
		return false;
	ignore(setrlimit(RLIMIT_NOFILE, &now));	/* lowering always works */
	return true;
}

/* check_kernel - what confines the daemons here, and the limit of files */
void
check_kernel(struct check *c)
{
	struct sandbox_state	state = sandbox_probe();
	struct rlimit		limit;
	uint32_t		mappings;

	if (!state.has_seccomp)
		check_found(c, CHECK_ERROR, "kernel", "no seccomp filters; "
		    "the daemons refuse to run without");
	if (state.landlock == 0)
		check_found(c, geteuid() == 0 ? CHECK_NOTE : CHECK_WARNING,
		    "kernel", "no Landlock: the second wall is missing; user, "
		    "root folder and system calls hold alone%s. It needs Linux "
		    "5.13 with landlock in the lsm= list",
		    geteuid() == 0 ? "" : ", and without root the first "
		    "two do not");
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_max < FILES_LEAST && !may_raise_files())
		check_found(c, CHECK_WARNING, "limits", "a process may have "
		    "%llu open files; %d serve many clients better (ulimit -n, "
		    "LimitNOFILE=)", (unsigned long long)limit.rlim_max,
		    FILES_LEAST);
	if (read_number("/proc/sys/vm/max_map_count", &mappings) == 0 &&
	    mappings < MAPPINGS_LEAST)
		check_found(c, CHECK_WARNING, "limits", "a process may have "
		    "%u mappings, two or four of them a client; %d serve many "
		    "clients better (sysctl vm.max_map_count)", mappings,
		    MAPPINGS_LEAST);
}

/* check_name - a name that other servers accept */
void
check_name(struct check *c)
{
	const char *host = tool_value(c->tool, "myhostname");

	if (slice_find(slice_of(host), '.') == SLICE_NONE ||
	    slice_has_suffix(slice_of(host), S(".localdomain")) ||
	    slice_has_prefix(slice_of(host), S("localhost")))
		check_found(c, CHECK_WARNING, "myhostname", "%s is no full "
		    "host name; other servers will distrust it. Set myhostname",
		    host);
}

/* try_port - could master listen there? */
static int
try_port(const struct addrinfo *ai)
{
	int one = 1, r = 0;
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return 0;		/* such addresses are left out */
	ignore(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	if (ai->ai_family == AF_INET6)
		ignore(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
		    sizeof(one)));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0)
		r = -errno;
	fd_close(&fd);
	return r == -EADDRNOTAVAIL && ai->ai_family == AF_INET6 ? 0 : r;
}

/* check_port - the port of one row */
static void
check_port(struct check *c, const struct mastercf_service *row)
{
	struct addrinfo	 hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
			    .ai_socktype = SOCK_STREAM }, *all;
	struct slice	 host, port;
	const char	*node, *number;
	int		 r = 0;

	if (mastercf_split_inet(row->name, &host, &port) < 0)
		return;			/* the parser tells */
	number = mastercf_port(arena_text(&c->tool->arena, port));
	node = host.len == 0 ? NULL : arena_text(&c->tool->arena, host);
	if (getaddrinfo(node, number, &hints, &all) != 0) {
		check_found(c, CHECK_ERROR, c->master_cf, "service %.*s: no "
		    "such address or port; give the port as a number",
		    SLICE_ARG(row->name));
		return;
	}
	for (const struct addrinfo *ai = all; r == 0 && ai != NULL;
	    ai = ai->ai_next)
		r = try_port(ai);
	freeaddrinfo(all);
	if (r == -EADDRINUSE)
		check_found(c, CHECK_ERROR, c->master_cf, "service %.*s: "
		    "another program listens on port %s; stop it (ss -ltnp "
		    "shows which)", SLICE_ARG(row->name), number);
	else if (r < 0)
		check_found(c, CHECK_ERROR, c->master_cf, "service %.*s: "
		    "cannot listen on port %s: %s", SLICE_ARG(row->name),
		    number, strerror(-r));
}

/* check_ports - are they free? While the suite runs they are its own. */
void
check_ports(struct check *c)
{
	const struct mastercf *cf = &c->tool->cf;

	if (tool_is_running(c->tool) > 0)
		return;
	for (size_t i = 0; i < cf->count; i++)
		if (cf->service[i].type == MASTERCF_INET)
			check_port(c, &cf->service[i]);
}
