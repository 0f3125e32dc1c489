/* SPDX-License-Identifier: ISC */
#include "imapd/imapd_params.h"

#define PARAMS_OWNER imapd
#define PARAMS_DEF "imapd/imapd_params.def"
#include "libutil/param_define.h"
