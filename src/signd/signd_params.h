/* SPDX-License-Identifier: ISC */
#ifndef SIGND_SIGND_PARAMS_H
#define SIGND_SIGND_PARAMS_H

#define PARAMS_OWNER signd
#define PARAMS_DEF "signd/signd_params.def"
#include "libutil/param_declare.h"

#endif
