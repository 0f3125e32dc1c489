/* SPDX-License-Identifier: ISC */
/* stored: the broker of the mail store. See barid-stored(8). */
#include <stdlib.h>
#include <sys/stat.h>

#include "libglobal/ipc_auth.h"
#include "libutil/alloc.h"
#include "stored/stored.h"

static int
prepare(struct daemon *d, struct diag *diag)
{
	struct stored *s = NEW(struct stored);

	(void)diag;
	s->daemon = d;
	list_init(&s->idle);
	list_init(&s->ending);
	list_init(&s->room);
	daemon_set_data(d, s);
	(void)umask(007);	/* account processes are of our group */
	return 0;
}

/* run - listen to authd, and end processes that nobody needs */
static int
run(struct task *t, struct daemon *d)
{
	struct stored	*s = daemon_data(d);
	int		 r;

	edge_on_message(daemon_edge(d, "authd", &ipc_table_auth),
	    on_auth_message, s);
	r = children_run(t, d);
	return r;
}

static const struct daemon_spec spec = {
	.name = "stored",
	.params = &stored_param_table,
	.params_size = sizeof(struct stored_params),
	.prepare = prepare,
	.run = run,
	.edge = store_serve,
	.reload = daemon_reload_params,
};

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &spec);
}
