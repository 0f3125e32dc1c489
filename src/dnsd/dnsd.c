/* SPDX-License-Identifier: ISC */
/* dnsd: the one resolver of all daemons. See barid-dnsd(8). */
#include "dnsd/dnsd.h"

static const struct daemon_spec spec = {
	.name = "dnsd",
	.params = &dnsd_param_table,
	.params_size = sizeof(struct dnsd_params),
	.workers = 1,
	.prepare = dnsd_prepare,
	.run = dnsd_run,
	.edge = dnsd_caller,
	/* no reload: its files are out of reach, so a new process reads them */
};

/* main - a daemon */
int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &spec);
}
