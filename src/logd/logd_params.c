/* SPDX-License-Identifier: ISC */
#include "logd/logd_params.h"

#define PARAMS_OWNER logd
#define PARAMS_DEF "logd/logd_params.def"
#include "libutil/param_define.h"
