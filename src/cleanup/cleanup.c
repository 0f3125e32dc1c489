/* SPDX-License-Identifier: ISC */
/* cleanup: takes content and puts messages into the queue. See
 * barid-cleanup(8). */
#include "cleanup/cleanup.h"
#include "libutil/alloc.h"

static int
prepare(struct daemon *d, struct diag *diag)
{
	struct cleanup *c = NEW(struct cleanup);

	(void)diag;
	c->daemon = d;
	daemon_set_data(d, c);
	slots_init(c);
	return 0;
}

static const struct daemon_spec spec = {
	.name = "cleanup",
	.params = &cleanup_param_table,
	.params_size = sizeof(struct cleanup_params),
	.workers = 8,		/* flushes at a time: the disk merges them */
	.prepare = prepare,
	.edge = cleanup_edge,
	.reload = daemon_reload_params,
};

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &spec);
}
