/* SPDX-License-Identifier: ISC */
/* smtpd: the SMTP server, for port 25 and for submission. See barid-smtpd(8). */
#include "libtask/tls.h"
#include "libutil/alloc.h"
#include "smtpd/smtpd.h"

static int
prepare(struct daemon *d, struct diag *diag)
{
	struct smtpd *s = NEW(struct smtpd);

	(void)diag;
	s->daemon = d;
	s->ids.process = daemon_process(d);
	content_pool_init(&s->pool, d);
	daemon_set_data(d, s);
	tls_library_init();	/* reads files that the sandbox has not */
	return 0;
}

static const struct daemon_spec spec = {
	.name = "smtpd",
	.params = &smtpd_param_table,
	.params_size = sizeof(struct smtpd_params),
	.workers = 1,
	.prepare = prepare,
	.client = smtpd_client,
};

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &spec);
}
