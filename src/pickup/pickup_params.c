/* SPDX-License-Identifier: ISC */
#include "pickup/pickup_params.h"

#define PARAMS_OWNER pickup
#define PARAMS_DEF "pickup/pickup_params.def"
#include "libutil/param_define.h"
