/* SPDX-License-Identifier: ISC */
/*
 * Under main.cf lie the shared defaults and what the host says of itself.
 */
#include "libglobal/suite_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/shared_params.h"
#include "libmail/domain.h"
#include "libtask/io.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/conf.h"
#include "libutil/diag.h"
#include "libutil/param.h"

#define FILE_MAX_BYTES	((size_t)4 << 20)

/* read_fd - all of an open file */
static int
read_fd(int fd, size_t size, struct arena *a, struct slice *ret_text)
{
	char	*data = arena_alloc(a, size + 1);
	size_t	 len = 0;

	while (len < size) {
		ssize_t n = read(fd, data + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_text = slice_over(data, len);
	return 0;
}

/* suite_conf_read_file - a whole configuration file */
int
suite_conf_read_file(const char *folder, const char *name, struct arena *a,
    struct slice *ret_text, const char **ret_path, struct diag *diag)
{
	struct slice	path = arena_printf(a, "%s/%s", folder, name);
	struct stat	st;
	int		fd, r = 0;

	*ret_path = path.data;
	fd = open(path.data, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		r = -errno;
	else if (st.st_size > (off_t)FILE_MAX_BYTES) {
		r = diag_set(diag, 0, 0, "%s is larger than %zu bytes",
		    path.data, FILE_MAX_BYTES);
		goto out;
	} else
		r = read_fd(fd, (size_t)st.st_size, a, ret_text);
	if (r < 0)
		(void)diag_set(diag, 0, 0, "cannot read %s: %s", path.data,
		    strerror(-r));
out:
	fd_close(&fd);
	return r;
}

/* is_host_name - can other servers be told that name? */
static bool
is_host_name(struct slice name)
{
	struct arena	a = ARENA_INIT;
	struct domain	d;
	bool		has_letter = false;
	int		r = domain_parse(name, &a, DOMAIN_LENIENT, &d);

	for (size_t i = 0; i < name.len; i++)
		has_letter |= (name.data[i] | 0x20) >= 'a' &&
		    (name.data[i] | 0x20) <= 'z';
	arena_free(&a);
	return r >= 0 && has_letter;	/* else it is an address */
}

/* host_facts - defaults that are the host's own name */
static void
host_facts(struct conf *c)
{
	char		host[256] = "";
	struct slice	name, domain;
	size_t		dot;

	if (gethostname(host, sizeof(host) - 1) < 0 || host[0] == '\0')
		return;
	name = slice_of(host);
	if (!is_host_name(name))	/* a container's, perhaps "(none)" */
		return;
	dot = slice_find(name, '.');
	domain = dot == SLICE_NONE ? S("localdomain") : slice_from(name, dot + 1);
	if (dot != SLICE_NONE)
		conf_put(c, S("myhostname"), name, "", 0);
	else if (name.len < sizeof(host) - sizeof(".localdomain")) {
		char full[256];

		(void)snprintf(full, sizeof(full), "%s.localdomain", host);
		conf_put(c, S("myhostname"), slice_of(full), "", 0);
	}
	conf_put(c, S("mydomain"), domain, "", 0);
}

/* derive_domain - mydomain follows a myhostname that main.cf sets */
static void
derive_domain(struct conf *defaults, const struct conf *conf)
{
	struct buf	name = BUF_INIT;
	size_t		dot;

	if (conf_find_here(conf, S("myhostname")) != NULL &&
	    conf_get(conf, S("myhostname"), &name, NULL) == 0 &&
	    (dot = slice_find(buf_slice(&name), '.')) != SLICE_NONE)
		conf_put(defaults, S("mydomain"),
		    slice_from(buf_slice(&name), dot + 1), "", 0);
	buf_free(&name);
}

/* check_name - one of our names as main.cf sets it: mail from here would be
 * from no domain */
static int
check_name(const struct conf *conf, struct slice param, struct diag *diag)
{
	const struct conf_entry	*e = conf_find_here(conf, param);
	struct buf		 name = BUF_INIT;
	int			 r = 0;

	if (e != NULL && conf_get(conf, param, &name, NULL) == 0 &&
	    !is_host_name(buf_slice(&name))) {
		r = diag_set(diag, e->line, 0, "%.*s: \"%s\" is no name of a "
		    "host; write one as mail.example.org", SLICE_ARG(param),
		    buf_cstr(&name));
		diag_file(diag, e->file.data);
	}
	buf_free(&name);
	return r;
}

/* suite_conf_load - the layers below the services, and the services' rows */
int
suite_conf_load(const char *folder, struct arena *a,
    struct conf **ret_defaults, struct conf **ret_conf,
    struct mastercf *ret_cf, struct diag *diag)
{
	struct slice	 main_text, master_text;
	const char	*main_path, *master_path;
	int		 r;

	*ret_defaults = conf_new(NULL);
	param_defaults(*ret_defaults, &shared_param_table);
	host_facts(*ret_defaults);
	conf_put(*ret_defaults, S("config_directory"), slice_of(folder), "", 0);
	*ret_conf = conf_new(*ret_defaults);
	if ((r = suite_conf_read_file(folder, "main.cf", a, &main_text,
	    &main_path, diag)) < 0 ||
	    (r = conf_read(*ret_conf, main_text, main_path, diag)) < 0 ||
	    (r = check_name(*ret_conf, S("myhostname"), diag)) < 0 ||
	    (r = check_name(*ret_conf, S("mydomain"), diag)) < 0 ||
	    (r = suite_conf_read_file(folder, "master.cf", a, &master_text,
	    &master_path, diag)) < 0)
		return r;
	derive_domain(*ret_defaults, *ret_conf);
	return mastercf_parse(master_text, master_path, a, diag, ret_cf);
}
