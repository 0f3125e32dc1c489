/* SPDX-License-Identifier: ISC */
/* The parameters of rewriting and routing: resolve_params.def. */
#ifndef LIBGLOBAL_RESOLVE_PARAMS_H
#define LIBGLOBAL_RESOLVE_PARAMS_H

#define PARAMS_OWNER resolve
#define PARAMS_DEF "libglobal/resolve_params.def"
#include "libutil/param_declare.h"

#endif
