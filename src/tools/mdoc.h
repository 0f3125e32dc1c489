/* SPDX-License-Identifier: ISC */
/*
 * mdoc: plain text as it must stand in a manual page of the mdoc kind. For
 * whoever writes tables into manual pages; knows no table itself.
 */
#ifndef TOOLS_MDOC_H
#define TOOLS_MDOC_H

#include "libutil/slice.h"

struct buf;

/* sentences, each on lines of its own, wrapped; ends with a newline. Nothing
 * at all for an empty text. */
void	mdoc_text(struct buf *out, struct slice text);
/* a quoted argument of a macro, on the present line */
void	mdoc_arg(struct buf *out, struct slice text);

#endif
