/* SPDX-License-Identifier: ISC */
/* stored: the broker of the mail store. See barid-stored(8). */
#include "stored/stored.h"

static const struct daemon_spec spec = {
	.name = "stored",
	.params = &stored_param_table,
	.params_size = sizeof(struct stored_params),
	.prepare = stored_prepare,
	.run = stored_run,
	.edge = store_serve,
	.reload = daemon_reload_params,
};

/* main - see daemon.h */
int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &spec);
}
