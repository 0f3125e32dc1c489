/* SPDX-License-Identifier: ISC */
/* The command line of barid localserve. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libtask/io.h"
#include "libutil/alloc.h"
#include "libutil/conf.h"
#include "tools/localserve.h"

const struct localserve_service localserve_services[] = {
#define SERVICE(name, offset, daemon, tls, options) \
	{ #name, offset, #daemon, tls, options },
#include "tools/localserve.def"
	{ NULL, 0, NULL, 0, NULL },
};

/* has_controls - a line end or its like would break a configuration file */
static bool
has_controls(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

/* add_account - USER:PASSWORD, cut at the first colon */
static int
add_account(struct localserve *l, char *arg)
{
	char *colon = strchr(arg, ':');

	if (colon == NULL || colon == arg || colon[1] == '\0')
		return tool_fail(l->tool, "--account %s: give USER:PASSWORD",
		    arg);
	if (l->account_count == LOCALSERVE_LIST_MAX)
		return tool_fail(l->tool, "more than %d accounts; see "
		    "--accounts", LOCALSERVE_LIST_MAX);
	*colon = '\0';
	l->account[l->account_count++] =
	    (struct localserve_pair){ NULL, arg, colon + 1 };
	return TOOL_OK;
}

/* set_accounts - PREFIX:COUNT:PASSWORD */
static int
set_accounts(struct localserve *l, char *arg)
{
	struct slice rest = slice_of(arg);
	struct slice prefix = slice_split(&rest, ':');
	struct slice count = slice_split(&rest, ':');

	if (prefix.len == 0 || rest.len == 0 ||
	    slice_to_u32(count, 1000000, &l->prefix_count) < 0)
		return tool_fail(l->tool, "--accounts %s: give "
		    "PREFIX:COUNT:PASSWORD, with a count of at most 1000000",
		    arg);
	l->prefix = arena_text(&l->tool->arena, prefix);
	l->prefix_password = arena_text(&l->tool->arena, rest);
	return TOOL_OK;
}

/* add_set - [SERVICE:]NAME=VALUE */
static int
add_set(struct localserve *l, char *arg)
{
	char	*equals = strchr(arg, '=');
	char	*colon = strchr(arg, ':');
	char	*name = arg;

	if (equals == NULL || has_controls(arg))
		return tool_fail(l->tool, "--set %s: give NAME=VALUE or "
		    "SERVICE:NAME=VALUE", arg);
	if (l->set_count == LOCALSERVE_LIST_MAX)
		return tool_fail(l->tool, "more than %d times --set",
		    LOCALSERVE_LIST_MAX);
	*equals = '\0';
	if (colon != NULL && colon < equals) {
		*colon = '\0';
		name = colon + 1;
	}
	if (!conf_is_name(slice_of(name)))
		return tool_fail(l->tool, "--set: \"%s\" is no name of a "
		    "parameter", name);
	l->set[l->set_count++] = (struct localserve_pair){
	    name == arg ? NULL : arg, name, equals + 1 };
	return TOOL_OK;
}

/* one_option - -1: the command line is wrong as a whole */
static int
one_option(struct localserve *l, int c)
{
	uint32_t port;

	switch (c) {
	case 'd':
		l->directory = optarg;
		return TOOL_OK;
	case 'b':
		if (slice_to_u32(slice_of(optarg), 65535 - 11, &port) < 0 ||
		    port == 0)
			return tool_fail(l->tool, "--base-port %s: give a "
			    "number from 1 to %d", optarg, 65535 - 11);
		l->port = port;
		return TOOL_OK;
	case 'x':
		l->domain = optarg;
		return TOOL_OK;
	case 'a':
		return add_account(l, optarg);
	case 'A':
		return set_accounts(l, optarg);
	case 's':
		return add_set(l, optarg);
	default:
		return TOOL_USAGE;
	}
}

/* settle_directory - make it, and know it by its absolute path */
static int
settle_directory(struct localserve *l)
{
	char *real;

	if (mkdir(l->directory, 0755) < 0 && errno != EEXIST)
		return tool_fail(l->tool, "cannot make %s: %s", l->directory,
		    strerror(errno));
	real = realpath(l->directory, NULL);
	if (real == NULL)
		return tool_fail(l->tool, "%s: %s", l->directory,
		    strerror(errno));
	l->directory = arena_text(&l->tool->arena, slice_of(real));
	free(real);
	return TOOL_OK;
}

/* has_ipv6 - is there a loopback address of IPv6? */
static bool
has_ipv6(void)
{
	struct sockaddr_in6	at = { .sin6_family = AF_INET6,
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int			fd = socket(AF_INET6,
				    SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool			has;

	has = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
	fd_close(&fd);
	return has;
}

/* localserve_options - what was asked for */
int
localserve_options(struct localserve *l, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "directory", required_argument, NULL, 'd' },
		{ "base-port", required_argument, NULL, 'b' },
		{ "domain", required_argument, NULL, 'x' },
		{ "account", required_argument, NULL, 'a' },
		{ "accounts", required_argument, NULL, 'A' },
		{ "set", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	int	c, r;

	l->account = ARENA_ARRAY(&l->tool->arena, struct localserve_pair,
	    LOCALSERVE_LIST_MAX);
	l->set = ARENA_ARRAY(&l->tool->arena, struct localserve_pair,
	    LOCALSERVE_LIST_MAX);
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		if ((r = one_option(l, c)) != TOOL_OK)
			return r;
	if (optind != argc || l->directory == NULL || l->port == 0 ||
	    l->domain == NULL)
		return TOOL_USAGE;
	if (strpbrk(l->domain, " \t\r\n/$={}") != NULL ||
	    l->domain[0] == '\0')
		return tool_fail(l->tool, "--domain %s: no domain",
		    l->domain);
	l->ipv6 = has_ipv6();
	return settle_directory(l);
}

/* has_program - is a daemon there? */
static bool
has_program(struct localserve *l, const char *daemon)
{
	struct slice path = arena_printf(&l->tool->arena, "%s/%s",
	    tool_value(l->tool, "daemon_directory"), daemon);

	return access(path.data, X_OK) == 0;
}

/* localserve_has - are the programs of a service there? */
bool
localserve_has(struct localserve *l, const struct localserve_service *s)
{
	return has_program(l, s->daemon) &&
	    (s->tls != LOCALSERVE_IMPLICIT || has_program(l, "signd"));
}
