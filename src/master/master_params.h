/* SPDX-License-Identifier: ISC */
#ifndef MASTER_MASTER_PARAMS_H
#define MASTER_MASTER_PARAMS_H

#define PARAMS_OWNER master
#define PARAMS_DEF "master/master_params.def"
#include "libutil/param_declare.h"

#endif
