/* SPDX-License-Identifier: ISC */
#ifndef DELIVERY_LMTPD_PARAMS_H
#define DELIVERY_LMTPD_PARAMS_H

#define PARAMS_OWNER lmtpd
#define PARAMS_DEF "delivery/lmtpd_params.def"
#include "libutil/param_declare.h"

#endif
