/* SPDX-License-Identifier: ISC */
/* Parameters of Postfix that Barid does not have. */
#include <stddef.h>

#include "tools/check.h"

static const struct check_postfix rows[] = {
#define POSTFIX(name, level, sentence)	{ name, level, sentence },
#include "tools/check_postfix.def"
};

/* check_postfix_find - the row of that name, or of its first words */
const struct check_postfix *
check_postfix_find(struct slice name)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice row = slice_of(rows[i].name);

		if (slice_equal(row, name) || (slice_has_suffix(row, S("_")) &&
		    slice_has_prefix(name, row)))
			return &rows[i];
	}
	return NULL;
}
