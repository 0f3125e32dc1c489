/* SPDX-License-Identifier: ISC */
#ifndef LIBGLOBAL_SHARED_PARAMS_H
#define LIBGLOBAL_SHARED_PARAMS_H

#define PARAMS_OWNER shared
#define PARAMS_DEF "libglobal/shared_params.def"
#include "libutil/param_declare.h"

#endif
