/* SPDX-License-Identifier: ISC */
/*
 * suite_conf: the configuration of the whole suite as it lies on disk: the
 * shared defaults, what the host says of itself, main.cf, and the rows of
 * master.cf. master starts from it and the tools look into it. Blocks.
 */
#ifndef LIBGLOBAL_SUITE_CONF_H
#define LIBGLOBAL_SUITE_CONF_H

#include "libglobal/mastercf.h"

struct arena;
struct conf;
struct diag;

/* the whole text of a file, in the arena; *ret_path names it */
MUST_USE int	suite_conf_read_file(const char *folder, const char *name,
		    struct arena *a, struct slice *ret_text,
		    const char **ret_path, struct diag *diag);
/*
 * Read main.cf and master.cf of a folder. What is returned may be set even
 * when it fails, and is to be released with conf_free, *ret_conf first. The
 * rows live in the arena.
 */
MUST_USE int	suite_conf_load(const char *folder, struct arena *a,
		    struct conf **ret_defaults, struct conf **ret_conf,
		    struct mastercf *ret_cf, struct diag *diag);

#endif
