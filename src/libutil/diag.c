/* SPDX-License-Identifier: ISC */
/* Fixed sizes: a diag is a plain value and sits on stacks. */
#include "libutil/diag.h"

#include <stdarg.h>
#include <stdio.h>

#include "libutil/buf.h"

/* diag_set - note the first finding */
int
diag_set(struct diag *d, uint32_t line, uint32_t column, const char *format,
    ...)
{
	va_list	ap;

	if (d == NULL || d->text[0] != '\0')
		return -EBADMSG;
	d->line = line;
	d->column = column;
	va_start(ap, format);
	(void)vsnprintf(d->text, sizeof(d->text), format, ap);
	va_end(ap);
	return -EBADMSG;
}

/* diag_file - name the file */
void
diag_file(struct diag *d, const char *file)
{
	if (d != NULL && d->file[0] == '\0')
		(void)snprintf(d->file, sizeof(d->file), "%s", file);
}

/* diag_format - one line for a human */
void
diag_format(struct buf *out, const struct diag *d)
{
	if (d->file[0] != '\0')
		buf_addf(out, "%s:", d->file);
	if (d->line != 0)
		buf_addf(out, "%u:", d->line);
	if (d->column != 0)
		buf_addf(out, "%u:", d->column);
	if (out->len > 0)
		buf_add_byte(out, ' ');
	buf_add_text(out, d->text);
}
