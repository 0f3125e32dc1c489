/* SPDX-License-Identifier: ISC */
/* smtp: the SMTP and LMTP client. See barid-smtp(8). */
#include "delivery/smtp.h"

#include "libtask/tls.h"
#include "libutil/alloc.h"

/* make_context - what the handshakes of this process offer and trust */
static int
make_context(const struct smtp_params *p, struct tls_context **ret_ctx,
    struct diag *diag)
{
	struct tls_params tls = {
		.role = TLS_CLIENT,
		.protocols = p->smtp_tls_protocols.data,
		.ciphers = p->smtp_tls_ciphers.data,
		.exclude_ciphers = p->smtp_tls_exclude_ciphers.data,
		.ssl_options = p->tls_ssl_options.data,
		.ca_file = p->smtp_tls_CAfile.data,
		.ca_path = p->smtp_tls_CApath.data,
	};

	tls_library_init();	/* reads files that the sandbox has not */
	return tls_context_new(&tls, ret_ctx, diag);
}

/* prepare - read the certificates while the files are there */
static int
prepare(struct daemon *d, struct diag *diag)
{
	const struct smtp_params *p = daemon_params(d);
	struct smtp		 *s = NEW(struct smtp);

	s->daemon = d;
	list_init(&s->idle);
	daemon_set_data(d, s);
	if (p->smtp_tls_security_level == 0)
		return 0;
	return make_context(p, &s->tls, diag);
}

static const struct daemon_spec spec = {
	.name = "smtp",
	.params = &smtp_param_table,
	.params_size = sizeof(struct smtp_params),
	.prepare = prepare,
	.run = smtp_idle_run,
	.edge = smtp_serve,
};

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &spec);
}
