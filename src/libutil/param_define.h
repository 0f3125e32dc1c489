/* SPDX-License-Identifier: ISC */
/*
 * Defines what param_declare.h declares; smtpd_params.c is:
 *
 *	#include "smtpd/smtpd_params.h"
 *
 *	#define PARAMS_OWNER smtpd
 *	#define PARAMS_DEF "smtpd/smtpd_params.def"
 *	#include "libutil/param_define.h"
 */
static const struct param PARAMS_PASTE(PARAMS_OWNER, _param_rows)[] = {
#define PARAM(type, name, dflt, min, max, gist, doc) { #name, PARAM_##type, \
	dflt, min, max, gist, doc, \
	offsetof(struct PARAMS_PASTE(PARAMS_OWNER, _params), name) },
#include PARAMS_DEF
};

const struct param_table PARAMS_PASTE(PARAMS_OWNER, _param_table) = {
	PARAMS_TEXT(PARAMS_OWNER),
	PARAMS_PASTE(PARAMS_OWNER, _param_rows),
	COUNT(PARAMS_PASTE(PARAMS_OWNER, _param_rows)),
};

#undef PARAMS_OWNER
#undef PARAMS_DEF
