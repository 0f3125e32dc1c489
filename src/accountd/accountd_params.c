/* SPDX-License-Identifier: ISC */
#include "accountd/accountd_params.h"

#define PARAMS_OWNER accountd
#define PARAMS_DEF "accountd/accountd_params.def"
#include "libutil/param_define.h"
