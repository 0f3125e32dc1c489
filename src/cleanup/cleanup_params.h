/* SPDX-License-Identifier: ISC */
#ifndef CLEANUP_CLEANUP_PARAMS_H
#define CLEANUP_CLEANUP_PARAMS_H

#define PARAMS_OWNER cleanup
#define PARAMS_DEF "cleanup/cleanup_params.def"
#include "libutil/param_declare.h"

#endif
