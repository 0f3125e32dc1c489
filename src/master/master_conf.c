/* SPDX-License-Identifier: ISC */
/*
 * Reads main.cf and master.cf. Under main.cf lie the shared defaults and what
 * the host says of itself; over it, for each service, its overrides.
 */
#include "libglobal/suite_conf.h"
#include "libtask/memfile.h"
#include "libutil/alloc.h"
#include "libutil/conf.h"
#include "libutil/param.h"
#include "master/master.h"

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

/* master_configure_paths - read enough to know where the folders are */
int
master_configure_paths(struct master *m, struct diag *diag)
{
	struct arena	a = ARENA_INIT;
	struct mastercf	cf;
	int		r = suite_conf_load(m->config_directory, &a,
			    &m->defaults, &m->conf, &cf, diag);

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
	if ((r = suite_conf_load(m->config_directory, &a, &defaults,
	    &conf, &cf, diag)) < 0 ||
	    (r = param_load(&master_param_table, conf, &a, &params, diag)) < 0)
		goto out;
	if ((r = services_build(m, &cf, conf, &services, diag)) < 0) {
		diag_file(diag, arena_printf(&a, "%s/master.cf",
		    m->config_directory).data);
		goto out;
	}
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
