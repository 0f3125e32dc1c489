/* SPDX-License-Identifier: ISC */
/* mapd: lookup tables, rewriting, routing. See barid-mapd(8). */
#include "mapd/mapd.h"

#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdlib.h>

#include "libglobal/ipc_auth.h"
#include "libglobal/map.h"
#include "libutil/alloc.h"

/*
 * unix: tables read the files in /etc. Other sources of users would need
 * sockets and libraries that the sandbox does not allow; asked once before
 * it, the C library has loaded what it needs.
 */
static void
prepare_unix(void)
{
	(void)__nss_configure_lookup("passwd", "files");
	(void)__nss_configure_lookup("group", "files");
	(void)getpwnam("root");
	(void)getgrnam("root");
}

/* prepare - open the tables with the rights of the start */
static int
prepare(struct daemon *d, struct diag *diag)
{
	struct mapd *m = NEW(struct mapd);

	m->daemon = d;
	daemon_set_data(d, m);
	prepare_unix();
	map_modules_load();	/* the sandbox lets nothing in later */
	return mapd_tables_open(m, diag);
}

/* A new configuration may name tables that only the rights of the start can
 * open, so there is no reload: a new process takes over. */
static const struct daemon_spec spec = {
	.name = "mapd",
	.params = &resolve_param_table,
	.params_size = sizeof(struct resolve_params),
	.workers = 4,		/* lookups in files at a time */
	.prepare = prepare,
	.edge = mapd_edge,
};

/* main - all else is daemon_main's */
int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &spec);
}
