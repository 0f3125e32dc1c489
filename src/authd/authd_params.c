/* SPDX-License-Identifier: ISC */
#include "authd/authd_params.h"

#define PARAMS_OWNER authd
#define PARAMS_DEF "authd/authd_params.def"
#include "libutil/param_define.h"
