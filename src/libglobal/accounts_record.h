/* SPDX-License-Identifier: ISC */
/*
 * accounts_record: the values of the accounts database as structs, and back.
 * Pure. Decoders are strict: the version must be known (-EPROTONOSUPPORT for
 * one of a later program), nothing may be missing, left over or too long
 * (-EBADMSG), flags must be known. Texts are lent from the bytes.
 */
#ifndef LIBGLOBAL_ACCOUNTS_RECORD_H
#define LIBGLOBAL_ACCOUNTS_RECORD_H

#include "libutil/arena.h"
#include "libutil/buf.h"

#define ACCOUNTS_ID_SIZE	16	/* lower-case hexadecimal digits */
#define ACCOUNTS_ADDRESS_MAX	320	/* 64 @ 255 */
#define ACCOUNTS_PASSWORD_MAX	1024	/* a hash as text */
#define ACCOUNTS_NAME_MAX	255
#define ACCOUNTS_TEXT_MAX	100000	/* all targets of an alias or group */

enum accounts_flag {
	ACCOUNTS_ENABLED	= 1 << 0,	/* may log in */
	ACCOUNTS_SHARED		= 1 << 1,	/* others use it; no password */
	ACCOUNTS_OWN_QUOTA	= 1 << 2,	/* not its domain's */
};

#define ACCOUNTS_CTYPE_U32	uint32_t
#define ACCOUNTS_CTYPE_U64	uint64_t
#define ACCOUNTS_CTYPE_I64	int64_t
#define ACCOUNTS_CTYPE_TEXT	struct slice
#define ACCOUNTS_CTYPE_FLAGS	uint32_t

#define RECORD(name, version, doc)		struct accounts_##name {
#define FIELD(record, type, name, max, doc)	ACCOUNTS_CTYPE_##type name;
#define END(name)				};
#include "libglobal/accounts_records.def"

/* texts must be within their bounds (asserted: edits check them) */
#define RECORD(name, version, doc) \
	void	accounts_##name##_encode(struct buf *out, \
		    const struct accounts_##name *r); \
	MUST_USE int	accounts_##name##_decode(struct slice in, \
			    struct accounts_##name *ret_record);
#define FIELD(record, type, name, max, doc)
#define END(name)
#include "libglobal/accounts_records.def"

#endif
