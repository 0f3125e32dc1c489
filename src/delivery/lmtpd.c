/* SPDX-License-Identifier: ISC */
/* lmtpd: delivers into the mail store. See barid-lmtpd(8). */
#include "delivery/lmtpd.h"
#include "libtask/tls.h"
#include "libutil/alloc.h"

/* prepare - with no channel yet */
static int
prepare(struct daemon *d, struct diag *diag)
{
	struct lmtpd *l = NEW(struct lmtpd);

	tls_library_init();	/* digests read files the sandbox has not */
	(void)diag;
	l->daemon = d;
	list_init(&l->unused);
	daemon_set_data(d, l);
	return 0;
}

static const struct daemon_spec spec = {
	.name = "lmtpd",
	.params = &lmtpd_param_table,
	.params_size = sizeof(struct lmtpd_params),
	.workers = 1,
	.prepare = prepare,
	.edge = lmtpd_serve,
	.reload = daemon_reload_params,
};

/* main - see daemon.h */
int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &spec);
}
