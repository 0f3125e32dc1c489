/* SPDX-License-Identifier: ISC */
/* main.cf and master.cf of localserve. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/daemons.h"
#include "libutil/buf.h"
#include "tools/localserve.h"

/* beside_us - the folder of the daemons that were built with this command */
static const char *
beside_us(struct tool *tool)
{
	char		*path = arena_alloc(&tool->arena, PATH_MAX);
	ssize_t		n = readlink("/proc/self/exe", path, PATH_MAX);
	struct slice	bin, master;
	size_t		slash;

	if (n <= 0)
		return BARID_DAEMON_DIRECTORY;
	bin = slice_over(path, (size_t)n);
	slash = slice_find_last(bin, '/');
	if (slash == SLICE_NONE)
		return BARID_DAEMON_DIRECTORY;
	bin = slice_sub(bin, 0, slash);
	slash = slice_find_last(bin, '/');
	master = arena_printf(&tool->arena, "%.*s/libexec/barid/master",
	    slash == SLICE_NONE ? 0 : (int)slash, bin.data);
	if (access(master.data, X_OK) < 0)
		return BARID_DAEMON_DIRECTORY;
	return arena_text(&tool->arena, slice_sub(master, 0,
	    master.len - (sizeof("/master") - 1)));
}

/* write_main - the parameters, those of --set last: the last one counts */
static int
write_main(struct localserve *l, const char *path)
{
	struct buf	b = BUF_INIT;
	const char	*d = l->directory, *x = l->domain;
	int		r;

	buf_addf(&b, "# Written by barid localserve at each start.\n"
	    "compatibility_level = 3.11\n"
	    "daemon_directory = %s\n", beside_us(l->tool));
	buf_addf(&b, "queue_directory = %s/queue\n"
	    "data_directory = %s/data\n"
	    "myhostname = mail.%s\nmydomain = %s\nmyorigin = %s\n",
	    d, d, x, x, x);
	buf_add_text(&b, "inet_interfaces = loopback-only\n"
	    "mydestination =\nmynetworks =\nalias_maps =\n"
	    "smtp_loopback_only = yes\n"
	    "master_stop_limit = 3s\n"
	    "smtpd_sasl_auth_enable = yes\nsmtpd_tls_auth_only = no\n"
	    "smtpd_tls_security_level = may\n"
	    "imapd_plaintext_login = loopback\n");
	buf_addf(&b, "smtpd_tls_chain_files = %s/tls/key.pem, %s/tls/cert.pem\n"
	    "imapd_tls_chain_files = $smtpd_tls_chain_files\n", d, d);
	for (size_t i = 0; i < l->set_count; i++)
		if (l->set[i].service == NULL)
			buf_addf(&b, "%s = %s\n", l->set[i].name,
			    l->set[i].value);
	r = tool_write_file(l->tool, path, buf_slice(&b));
	buf_free(&b);
	return r;
}

/* add_overrides - what --set says of a service */
static void
add_overrides(struct localserve *l, const char *service, struct buf *out)
{
	for (size_t i = 0; i < l->set_count; i++)
		if (l->set[i].service != NULL &&
		    strcmp(l->set[i].service, service) == 0)
			buf_addf(out, "\n    -o { %s = %s }", l->set[i].name,
			    l->set[i].value);
}

static void
add_inet_row(struct localserve *l, const struct localserve_service *s,
    const char *host, struct buf *out)
{
	buf_addf(out, "%s:%u inet n - n - - %s", host, l->port + s->offset,
	    s->daemon);
	if (s->options[0] != '\0')
		buf_addf(out, "\n    %s", s->options);
	add_overrides(l, s->name, out);
	buf_add_byte(out, '\n');
}

/* is_endpoint - is it the name of one of the services with a port? */
static bool
is_endpoint(const char *name)
{
	for (const struct localserve_service *s = localserve_services;
	    s->name != NULL; s++)
		if (strcmp(s->name, name) == 0)
			return true;
	return false;
}

/* unix_daemon - what the row NAME/unix runs; NULL: no such service */
static const char *
unix_daemon(struct slice name)
{
	for (const struct daemon_row *d = daemons_table; d->name != NULL; d++)
		if (slice_equal(slice_of(d->service), name))
			return d->name;
	return slice_equal(name, S("relay")) ? "smtp" : NULL;
}

/*
 * add_unix_rows - rows for those internal services that --set names: as
 * "NAME", or "NAME/unix" where a service with a port has that name as well
 */
static int
add_unix_rows(struct localserve *l, struct buf *out)
{
	for (size_t i = 0; i < l->set_count; i++) {
		const char *service = l->set[i].service, *daemon;
		struct slice name;
		bool again = false;

		if (service == NULL || is_endpoint(service))
			continue;
		for (size_t j = 0; j < i; j++)
			again |= l->set[j].service != NULL &&
			    strcmp(l->set[j].service, service) == 0;
		if (again)
			continue;
		name = slice_of(service);
		if (slice_has_suffix(name, S("/unix")))
			name = slice_sub(name, 0, name.len - 5);
		daemon = unix_daemon(name);
		if (daemon == NULL)
			return tool_fail(l->tool, "--set %s:%s: there is no "
			    "service %s", service, l->set[i].name, service);
		buf_addf(out, "%.*s unix - - n - - %s", SLICE_ARG(name),
		    daemon);
		add_overrides(l, service, out);
		buf_add_byte(out, '\n');
	}
	return TOOL_OK;
}

/* write_master - the services */
static int
write_master(struct localserve *l, const char *path)
{
	struct buf	b = BUF_INIT;
	int		r;

	buf_add_text(&b, "# Written by barid localserve at each start.\n");
	for (const struct localserve_service *s = localserve_services;
	    s->name != NULL; s++) {
		if (!localserve_has(l, s))
			continue;
		add_inet_row(l, s, "127.0.0.1", &b);
		if (l->ipv6)
			add_inet_row(l, s, "[::1]", &b);
	}
	buf_add_text(&b, "relay unix - - n - - smtp\n"
	    "lmtp unix - - n - - lmtp\n");
	r = add_unix_rows(l, &b);
	if (r == TOOL_OK)
		r = tool_write_file(l->tool, path, buf_slice(&b));
	buf_free(&b);
	return r;
}

/* localserve_write - the folder's configuration and certificates */
int
localserve_write(struct localserve *l)
{
	struct tool	*tool = l->tool;
	struct arena	*a = &tool->arena;
	struct slice	 etc = arena_printf(a, "%s/etc", l->directory);
	struct slice	 tls = arena_printf(a, "%s/tls", l->directory);
	struct slice	 path;
	int		 r;

	if ((mkdir(etc.data, 0755) < 0 && errno != EEXIST) ||
	    (mkdir(tls.data, 0755) < 0 && errno != EEXIST))
		return tool_fail(tool, "cannot make a folder in %s: %s",
		    l->directory, strerror(errno));
	tool->config_directory = etc.data;
	path = arena_printf(a, "%s/main.cf", etc.data);
	if ((r = write_main(l, path.data)) != TOOL_OK)
		return r;
	path = arena_printf(a, "%s/master.cf", etc.data);
	if (access(path.data, F_OK) < 0 &&
	    (r = tool_write_file(tool, path.data, S(""))) != TOOL_OK)
		return r;
	if ((r = tool_conf(tool)) != TOOL_OK ||
	    (r = write_master(l, path.data)) != TOOL_OK)
		return r;
	l->ca_file = arena_printf(a, "%s/ca.pem", tls.data).data;
	return certificate_make(tool, tls.data, l->domain);
}
