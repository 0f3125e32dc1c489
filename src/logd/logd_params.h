/* SPDX-License-Identifier: ISC */
#ifndef LOGD_LOGD_PARAMS_H
#define LOGD_LOGD_PARAMS_H

#define PARAMS_OWNER logd
#define PARAMS_DEF "logd/logd_params.def"
#include "libutil/param_declare.h"

#endif
