/* SPDX-License-Identifier: ISC */
#include "libglobal/resolve_params.h"

#define PARAMS_OWNER resolve
#define PARAMS_DEF "libglobal/resolve_params.def"
#include "libutil/param_define.h"
