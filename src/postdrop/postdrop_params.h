/* SPDX-License-Identifier: ISC */
#ifndef POSTDROP_POSTDROP_PARAMS_H
#define POSTDROP_POSTDROP_PARAMS_H

#define PARAMS_OWNER postdrop
#define PARAMS_DEF "postdrop/postdrop_params.def"
#include "libutil/param_declare.h"

#endif
