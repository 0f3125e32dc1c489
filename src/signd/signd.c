/* SPDX-License-Identifier: ISC */
/* signd: holds the private keys and signs with them. See barid-signd(8). */
#include "signd/signd.h"

static const struct daemon_spec spec = {
	.name = "signd",
	.params = &signd_param_table,
	.params_size = sizeof(struct signd_params),
	.workers = SIGND_WORKERS,
	.prepare = signd_prepare,
	.run = signd_run,
	.edge = signd_caller,
	/* no reload: the files are out of reach, so a new process reads them */
};

/* main - a daemon */
int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &spec);
}
