/* SPDX-License-Identifier: ISC */
/* logd: every daemon sends it events; it writes the log. See barid-logd(8). */
#include "logd/logd.h"

static const struct daemon_spec spec = {
	.name = "logd",
	.params = &logd_param_table,
	.params_size = sizeof(struct logd_params),
	.workers = 1,
	.prepare = sink_open,
	.run = sink_run,
	.edge = caller_serve,
	.reload = sink_reload,
};

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &spec);
}
