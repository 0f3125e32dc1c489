/* SPDX-License-Identifier: ISC */
#ifndef AUTHD_AUTHD_PARAMS_H
#define AUTHD_AUTHD_PARAMS_H

#define PARAMS_OWNER authd
#define PARAMS_DEF "authd/authd_params.def"
#include "libutil/param_declare.h"

#endif
