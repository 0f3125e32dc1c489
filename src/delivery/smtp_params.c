/* SPDX-License-Identifier: ISC */
#include "delivery/smtp_params.h"

#define PARAMS_OWNER smtp
#define PARAMS_DEF "delivery/smtp_params.def"
#include "libutil/param_define.h"
