/* SPDX-License-Identifier: ISC */
/* The table behind session_params.h. */
#include "imapd/session_params.h"

#define PARAMS_OWNER imap_session
#define PARAMS_DEF "imapd/session_params.def"
#include "libutil/param_define.h"
