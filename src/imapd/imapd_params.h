/* SPDX-License-Identifier: ISC */
#ifndef IMAPD_IMAPD_PARAMS_H
#define IMAPD_IMAPD_PARAMS_H

#define PARAMS_OWNER imapd
#define PARAMS_DEF "imapd/imapd_params.def"
#include "libutil/param_declare.h"

#endif
