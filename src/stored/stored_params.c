/* SPDX-License-Identifier: ISC */
#include "stored/stored_params.h"

#define PARAMS_OWNER stored
#define PARAMS_DEF "stored/stored_params.def"
#include "libutil/param_define.h"
