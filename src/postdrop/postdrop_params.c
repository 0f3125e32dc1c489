/* SPDX-License-Identifier: ISC */
#include "postdrop/postdrop_params.h"

#define PARAMS_OWNER postdrop
#define PARAMS_DEF "postdrop/postdrop_params.def"
#include "libutil/param_define.h"
