/* SPDX-License-Identifier: ISC */
#include "delivery/lmtpd_params.h"

#define PARAMS_OWNER lmtpd
#define PARAMS_DEF "delivery/lmtpd_params.def"
#include "libutil/param_define.h"
