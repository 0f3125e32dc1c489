/* SPDX-License-Identifier: ISC */
/*
 * Reads main.cf and master.cf. Under main.cf lie the shared defaults and what
 * the host says of itself; over it, for each service, its overrides.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/shared_params.h"
#include "libtask/memfile.h"
#include "libutil/alloc.h"
#include "libutil/conf.h"
#include "libutil/param.h"
#include "master/master.h"

#define FILE_MAX_BYTES	((size_t)4 << 20)

/* read_file - a whole configuration file */
static int
read_file(const char *folder, const char *name, struct arena *a,
    struct slice *ret_text, const char **ret_path, struct diag *diag)
{
	struct slice	path = arena_printf(a, "%s/%s", folder, name);
	struct stat	st;
	char		*data;
	ssize_t		 n;
	int		 fd, r = 0;

	*ret_path = path.data;
	fd = open(path.data, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		r = -errno;
		(void)diag_set(diag, 0, 0, "cannot read %s: %s", path.data,
		    strerror(-r));
		fd_close(&fd);
		return r;
	}
	if (st.st_size > (off_t)FILE_MAX_BYTES) {
		fd_close(&fd);
		return diag_set(diag, 0, 0, "%s is larger than %zu bytes",
		    path.data, FILE_MAX_BYTES);
	}
	data = arena_alloc(a, (size_t)st.st_size + 1);
	n = read(fd, data, (size_t)st.st_size);
	if (n < 0)
		r = -errno;
	else
		*ret_text = slice_over(data, (size_t)n);
	fd_close(&fd);
	return r;
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

/* master_sealed_conf - a configuration as a sealed memory file */
int
master_sealed_conf(const struct conf *c, int *ret_fd)
{
	struct buf	b = BUF_INIT;
	struct memfile	f = MEMFILE_INIT;
	int		r;

	conf_snapshot(c, &b);
	if ((r = buf_check(&b)) == 0 &&
	    (r = memfile_new("conf", b.len, &f)) == 0 &&
	    (r = memfile_append(&f, buf_slice(&b))) == 0 &&
	    (r = memfile_seal(&f)) == 0)
		*ret_fd = memfile_take_fd(&f);
	memfile_done(&f);
	buf_free(&b);
	return r;
}

/* master_path - a path parameter of the present configuration; lent */
const char *
master_path(struct master *m, const char *param)
{
	struct buf	b = BUF_INIT;
	const char	*path;

	ignore(conf_get(m->conf, slice_of(param), &b, NULL)); /* has a default */
	path = arena_text(&m->arena, buf_slice(&b));
	buf_free(&b);
	return path;
}

/* load - the layers below the services */
static int
load(struct master *m, struct arena *a, struct conf **ret_defaults,
    struct conf **ret_conf, struct mastercf *ret_cf, struct diag *diag)
{
	struct slice	 main_text, master_text;
	const char	*main_path, *master_path_;
	int		 r;

	*ret_defaults = conf_new(NULL);
	param_defaults(*ret_defaults, &shared_param_table);
	host_facts(*ret_defaults);
	conf_put(*ret_defaults, S("config_directory"),
	    slice_of(m->config_directory), "", 0);
	*ret_conf = conf_new(*ret_defaults);
	if ((r = read_file(m->config_directory, "main.cf", a, &main_text,
	    &main_path, diag)) < 0 ||
	    (r = conf_read(*ret_conf, main_text, main_path, diag)) < 0 ||
	    (r = read_file(m->config_directory, "master.cf", a, &master_text,
	    &master_path_, diag)) < 0)
		return r;
	derive_domain(*ret_defaults, *ret_conf);
	return mastercf_parse(master_text, master_path_, a, diag, ret_cf);
}

/* master_configure_paths - read enough to know where the folders are */
int
master_configure_paths(struct master *m, struct diag *diag)
{
	struct arena	a = ARENA_INIT;
	struct mastercf	cf;
	int		r = load(m, &a, &m->defaults, &m->conf, &cf, diag);

	arena_free(&a);
	return r;
}

/* master_configure - read everything and put it into force, or change nothing */
int
master_configure(struct master *m, struct diag *diag)
{
	struct arena		a = ARENA_INIT;
	struct conf		*defaults = NULL, *conf = NULL;
	struct master_params	params;
	struct mastercf		cf;
	struct list		services;
	int			r;

	list_init(&services);
	if ((r = load(m, &a, &defaults, &conf, &cf, diag)) < 0 ||
	    (r = param_load(&master_param_table, conf, &a, &params, diag)) < 0 ||
	    (r = services_build(m, &cf, conf, &services, diag)) < 0)
		goto out;
	conf_free(&m->conf);
	conf_free(&m->defaults);
	arena_free(&m->arena);
	m->conf = conf;
	m->defaults = defaults;
	m->arena = a;
	m->params = params;
	m->generation++;
	services_swap(m, &services);
	return 0;
out:
	for (struct list *l; (l = list_take_head(&services)) != NULL;)
		service_free(CONTAINER_OF(l, struct service, link));
	conf_free(&conf);
	conf_free(&defaults);
	arena_free(&a);
	return r;
}
