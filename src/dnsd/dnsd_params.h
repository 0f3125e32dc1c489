/* SPDX-License-Identifier: ISC */
#ifndef DNSD_DNSD_PARAMS_H
#define DNSD_DNSD_PARAMS_H

#define PARAMS_OWNER dnsd
#define PARAMS_DEF "dnsd/dnsd_params.def"
#include "libutil/param_declare.h"

#endif
