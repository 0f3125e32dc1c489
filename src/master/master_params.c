/* SPDX-License-Identifier: ISC */
#include "master/master_params.h"

#define PARAMS_OWNER master
#define PARAMS_DEF "master/master_params.def"
#include "libutil/param_define.h"
