/* SPDX-License-Identifier: ISC */
#ifndef DELIVERY_SMTP_PARAMS_H
#define DELIVERY_SMTP_PARAMS_H

#define PARAMS_OWNER smtp
#define PARAMS_DEF "delivery/smtp_params.def"
#include "libutil/param_declare.h"

#endif
