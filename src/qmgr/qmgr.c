/* SPDX-License-Identifier: ISC */
/* qmgr: the queue and its scheduler. See barid-qmgr(8). */
#include "qmgr/qmgr.h"

#include "libutil/alloc.h"

static int
prepare(struct daemon *d, struct diag *diag)
{
	(void)diag;
	qmgr_init(NEW(struct qmgr), d);
	return 0;
}

static int
reload(struct task *t, struct daemon *d)
{
	(void)t;
	qmgr_load_params(daemon_data(d));
	return 0;
}

static const struct daemon_spec spec = {
	.name = "qmgr",
	.params = &qmgr_param_table,
	.params_size = sizeof(struct qmgr_params),
	.workers = 3,
	.prepare = prepare,
	.run = qmgr_run,
	.edge = qmgr_edge,
	.reload = reload,
};

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &spec);
}
