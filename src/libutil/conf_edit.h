/* SPDX-License-Identifier: ISC */
/*
 * conf_edit: change the text of a main.cf and keep everything else as it is:
 * comments, order, blank lines, also comments inside the changed value. Each
 * call appends the whole new text to out, or nothing and -EBADMSG.
 */
#ifndef LIBUTIL_CONF_EDIT_H
#define LIBUTIL_CONF_EDIT_H

#include "libutil/slice.h"

struct buf;
struct diag;

/* name = value in place of the definition that counts, or at the end */
MUST_USE int	conf_edit_set(struct slice text, struct slice name,
		    struct slice value, struct buf *out, struct diag *);
/* without any definition of the name */
MUST_USE int	conf_edit_remove(struct slice text, struct slice name,
		    struct buf *out, struct diag *);
/* with every definition of the name turned into comments */
MUST_USE int	conf_edit_comment(struct slice text, struct slice name,
		    struct buf *out, struct diag *);

#endif
