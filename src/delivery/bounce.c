/* SPDX-License-Identifier: ISC */
/* bounce: writes delivery reports. See barid-bounce(8). */
#include "delivery/bounce.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "libutil/alloc.h"

/* read_templates - while the file can be read */
static int
read_templates(struct bounce *b, const struct bounce_params *p,
    struct diag *diag)
{
	const char	*path = p->bounce_template_file.data;
	struct stat	 st;
	int		 fd, r;

	b->templates = dsn_templates_builtin;
	if (p->bounce_template_file.len == 0)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return diag_set(diag, 0, 0, "bounce_template_file: %s: %s",
		    path, strerror(errno));
	b->template_text.max = DSN_TEMPLATE_FILE_MAX;
	r = fstat(fd, &st) < 0 ? -errno : memfile_read_buf(fd, 0,
	    (size_t)st.st_size, &b->template_text);
	fd_close(&fd);
	if (r < 0)
		return diag_set(diag, 0, 0, "bounce_template_file: %s: %s",
		    path, strerror(-r));
	return dsn_template_parse(buf_slice(&b->template_text), &b->templates,
	    diag);
}

static int
prepare(struct daemon *d, struct diag *diag)
{
	struct bounce *b = NEW(struct bounce);

	b->daemon = d;
	b->ids.process = daemon_process(d);
	content_pool_init(&b->pool, d);
	daemon_set_data(d, b);
	return read_templates(b, daemon_params(d), diag);
}

static const struct daemon_spec spec = {
	.name = "bounce",
	.params = &bounce_param_table,
	.params_size = sizeof(struct bounce_params),
	.workers = 1,
	.prepare = prepare,
	.edge = bounce_serve,
};

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &spec);
}
