/* SPDX-License-Identifier: ISC */
#ifndef STORED_STORED_PARAMS_H
#define STORED_STORED_PARAMS_H

#define PARAMS_OWNER stored
#define PARAMS_DEF "stored/stored_params.def"
#include "libutil/param_declare.h"

#endif
