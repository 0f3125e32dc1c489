/* SPDX-License-Identifier: ISC */
#include "qmgr/qmgr_params.h"

#define PARAMS_OWNER qmgr
#define PARAMS_DEF "qmgr/qmgr_params.def"
#include "libutil/param_define.h"
