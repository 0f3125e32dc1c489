/* SPDX-License-Identifier: ISC */
/*
 * macro: the language of "$name" in configuration values; conf.h shows its
 * forms. What a name stands for is the caller's business: conf looks in its
 * layers and expands what it finds; a delivery agent gives ${recipient} as it
 * is, so that no stranger's "$" is ever read as a macro.
 */
#ifndef LIBUTIL_MACRO_H
#define LIBUTIL_MACRO_H

#include "libutil/slice.h"

struct buf;
struct diag;

#define MACRO_DEPTH_MAX	24		/* names within names, texts in texts */
#define MACRO_STEPS_MAX	100000		/* "$" looked at in one expansion */
#define MACRO_TEXT_MAX	((size_t)256 << 10)

struct macro {
	/* append what the name stands for, nothing if it is undefined; 0, or
	 * a negative errno that ends the expansion */
	int		(*value)(struct macro *, struct slice name,
			    struct buf *out);
	/* has it a value that is not empty? NULL: ask value and look. (To
	 * Postfix, and so to conf, a value that only expands to nothing is
	 * not empty) */
	bool		(*is_set)(struct macro *, struct slice name);
	void		*arg;
	struct diag	*diag;		/* gets what is wrong; may be NULL */
	bool		 scan;		/* walk the branches not taken, too */
	/* zero at the beginning */
	unsigned	 depth;
	unsigned	 steps;
};

/* append the expansion of a text; -EBADMSG with a finding if it is malformed,
 * nested too deep or too long. A value callback may call it again */
MUST_USE int	macro_expand(struct macro *, struct slice text,
		    struct buf *out);

#endif
