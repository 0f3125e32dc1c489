/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_SMTPD_PARAMS_H
#define SMTPD_SMTPD_PARAMS_H

#define PARAMS_OWNER smtpd
#define PARAMS_DEF "smtpd/smtpd_params.def"
#include "libutil/param_declare.h"

#endif
