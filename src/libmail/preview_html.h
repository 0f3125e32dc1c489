/* SPDX-License-Identifier: ISC */
/*
 * preview_html: the words of an HTML page, for previews. No more than that:
 * tags, comments, scripts and styles go, the commonest character references
 * are resolved. It does not know what a browser would show or hide.
 */
#ifndef LIBMAIL_PREVIEW_HTML_H
#define LIBMAIL_PREVIEW_HTML_H

#include "libutil/buf.h"

/* append the text of UTF-8 HTML, at most about max bytes of it */
void	preview_html(struct buf *out, struct slice html, size_t max);

#endif
