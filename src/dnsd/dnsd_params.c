/* SPDX-License-Identifier: ISC */
#include "dnsd/dnsd_params.h"

#define PARAMS_OWNER dnsd
#define PARAMS_DEF "dnsd/dnsd_params.def"
#include "libutil/param_define.h"
