/* SPDX-License-Identifier: ISC */
/* accountd: the zygote of the account processes. See barid-accountd(8). */
#include "accountd/accountd.h"

static const struct daemon_spec spec = {
	.name = "accountd",
	.sandbox = "zygote",
	.keep_chroot = true,
	.params = &accountd_param_table,
	.params_size = sizeof(struct accountd_params),
	.prepare = zygote_prepare,
	.run = zygote_run,
	.edge = zygote_serve,
	.reload = daemon_reload_params,
};

/* main - see daemon.h */
int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &spec);
}
