/* SPDX-License-Identifier: ISC */
/*
 * idna: host names in Unicode and their ASCII form (IDNA2008, UTS #46,
 * non-transitional), through libidn2. For domain.c above all; whoever shows a
 * name to a person uses idna_to_unicode.
 */
#ifndef LIBMAIL_IDNA_H
#define LIBMAIL_IDNA_H

#include "libutil/slice.h"

struct buf;

/*
 * idna_to_ascii - append the name with A-labels, in lower case
 * A name that is ASCII already is only folded. -EILSEQ not UTF-8, -EBADMSG no
 * valid name, -EMSGSIZE a label or the name too long; out is then unchanged.
 */
MUST_USE int	idna_to_ascii(struct slice name, struct buf *out);
/* append the name with U-labels where it has A-labels that are valid; what is
 * not valid stays as it is */
void	idna_to_unicode(struct slice name, struct buf *out);

#endif
