/* SPDX-License-Identifier: ISC */
/*
 * The declarations of one conversation. A header libglobal/ipc_X.h is:
 *	#define IPC_DEF "libglobal/ipc_X.def"
 *	#define IPC_TABLE ipc_table_X
 *	#include "libtask/ipc_declare.h"
 * so this file has no guard: it is read once for each conversation.
 */
#include "libtask/ipc.h"

#define STATE(name, bit, doc)			enum { name = 1u << (bit) };
#define RECORD(name, doc)			struct msg_##name {
#define MESSAGE(name, number, from, when, doc)	struct msg_##name {
#define FIELD(owner, type, name, max, doc)	IPC_CTYPE_##type name;
#define LIST(owner, record, name, max, doc) \
	struct { struct msg_##record *v; size_t n; } name;
#define END(name)				};
#include IPC_DEF

#define STATE(name, bit, doc)
#define RECORD(name, doc) \
	extern const struct ipc_desc msg_##name##_desc;
#define MESSAGE(name, number, from, when, doc) \
	enum { MSG_##name = (number) }; \
	extern const struct ipc_desc msg_##name##_desc;
#define FIELD(owner, type, name, max, doc)
#define LIST(owner, record, name, max, doc)
#define END(name)
#include IPC_DEF

extern const struct ipc_table IPC_TABLE;

#undef IPC_DEF
#undef IPC_TABLE
