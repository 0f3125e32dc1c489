/* SPDX-License-Identifier: ISC */
#ifndef QMGR_QMGR_PARAMS_H
#define QMGR_QMGR_PARAMS_H

#define PARAMS_OWNER qmgr
#define PARAMS_DEF "qmgr/qmgr_params.def"
#include "libutil/param_declare.h"

#endif
