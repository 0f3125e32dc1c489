/* SPDX-License-Identifier: ISC */
#include "signd/signd_params.h"

#define PARAMS_OWNER signd
#define PARAMS_DEF "signd/signd_params.def"
#include "libutil/param_define.h"
