/* SPDX-License-Identifier: ISC */
/* The parameters of IMAP sessions; session_params.def has the rows. */
#ifndef IMAPD_SESSION_PARAMS_H
#define IMAPD_SESSION_PARAMS_H

#define PARAMS_OWNER imap_session
#define PARAMS_DEF "imapd/session_params.def"
#include "libutil/param_declare.h"

#endif
