/* SPDX-License-Identifier: ISC */
#include "libglobal/shared_params.h"

#define PARAMS_OWNER shared
#define PARAMS_DEF "libglobal/shared_params.def"
#include "libutil/param_define.h"
