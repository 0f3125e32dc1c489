/* SPDX-License-Identifier: ISC */
#ifndef PICKUP_PICKUP_PARAMS_H
#define PICKUP_PICKUP_PARAMS_H

#define PARAMS_OWNER pickup
#define PARAMS_DEF "pickup/pickup_params.def"
#include "libutil/param_declare.h"

#endif
