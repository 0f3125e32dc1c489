/* SPDX-License-Identifier: ISC */
#include "delivery/bounce_params.h"

#define PARAMS_OWNER bounce
#define PARAMS_DEF "delivery/bounce_params.def"
#include "libutil/param_define.h"
