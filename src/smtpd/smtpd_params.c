/* SPDX-License-Identifier: ISC */
#include "smtpd/smtpd_params.h"

#define PARAMS_OWNER smtpd
#define PARAMS_DEF "smtpd/smtpd_params.def"
#include "libutil/param_define.h"
