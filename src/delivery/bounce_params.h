/* SPDX-License-Identifier: ISC */
#ifndef DELIVERY_BOUNCE_PARAMS_H
#define DELIVERY_BOUNCE_PARAMS_H

#define PARAMS_OWNER bounce
#define PARAMS_DEF "delivery/bounce_params.def"
#include "libutil/param_declare.h"

#endif
