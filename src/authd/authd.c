/* SPDX-License-Identifier: ISC */
/* authd: passwords, logins and accounts. See barid-authd(8). */
#include "authd/authd.h"

static const struct daemon_spec spec = {
	.name = "authd",
	.params = &authd_param_table,
	.params_size = sizeof(struct authd_params),
	.workers = AUTHD_WORKERS,
	.prepare = authd_prepare,
	.run = authd_run,
	.edge = authd_caller,
	.reload = authd_reload,
};

/* main - a daemon */
int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &spec);
}
