/* SPDX-License-Identifier: ISC */
/*
 * Declares the parameters of a daemon from its table. smtpd_params.h is, in a
 * guard:
 *
 *	#define PARAMS_OWNER smtpd
 *	#define PARAMS_DEF "smtpd/smtpd_params.def"
 *	#include "libutil/param_declare.h"
 *
 * and gives `struct smtpd_params` with one member a row, and `extern const
 * struct param_table smtpd_param_table`. Included many times on purpose.
 */
#include "libutil/param.h"

#ifndef PARAMS_PASTE
#define PARAMS_PASTE2(a, b)	a##b
#define PARAMS_PASTE(a, b)	PARAMS_PASTE2(a, b)
#define PARAMS_TEXT2(a)		#a
#define PARAMS_TEXT(a)		PARAMS_TEXT2(a)
#endif

struct PARAMS_PASTE(PARAMS_OWNER, _params) {
#define PARAM(type, name, dflt, min, max, gist, doc) PARAM_CTYPE_##type name;
#include PARAMS_DEF
};

extern const struct param_table PARAMS_PASTE(PARAMS_OWNER, _param_table);

#undef PARAMS_OWNER
#undef PARAMS_DEF
