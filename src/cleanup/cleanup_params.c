/* SPDX-License-Identifier: ISC */
#include "cleanup/cleanup_params.h"

#define PARAMS_OWNER cleanup
#define PARAMS_DEF "cleanup/cleanup_params.def"
#include "libutil/param_define.h"
