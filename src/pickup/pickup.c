/* SPDX-License-Identifier: ISC */
/* pickup: takes mail of local users. See barid-pickup(8). */
#include "pickup/pickup.h"

#include "libutil/alloc.h"

static int
prepare(struct daemon *d, struct diag *diag)
{
	struct pickup *p = NEW(struct pickup);

	(void)diag;
	p->daemon = d;
	p->folder = -1;
	content_pool_init(&p->pool, d);
	daemon_set_data(d, p);
	return 0;
}

static const struct daemon_spec spec = {
	.name = "pickup",
	.params = &pickup_param_table,
	.params_size = sizeof(struct pickup_params),
	.workers = 4,
	.prepare = prepare,
	.run = pickup_run,
	.client = pickup_client,
	.reload = daemon_reload_params,
};

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &spec);
}
