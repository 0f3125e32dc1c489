/* SPDX-License-Identifier: ISC */
#ifndef ACCOUNTD_ACCOUNTD_PARAMS_H
#define ACCOUNTD_ACCOUNTD_PARAMS_H

#define PARAMS_OWNER accountd
#define PARAMS_DEF "accountd/accountd_params.def"
#include "libutil/param_declare.h"

#endif
