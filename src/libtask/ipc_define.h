/* SPDX-License-Identifier: ISC */
/*
 * The definitions of one conversation. A file libglobal/ipc_X.c is:
 *	#include "libglobal/ipc_X.h"
 *	#define IPC_DEF "libglobal/ipc_X.def"
 *	#define IPC_TABLE ipc_table_X
 *	#include "libtask/ipc_define.h"
 */
#define ANY			IPC_STATE_ANY

#define STATE(name, bit, doc)
#define RECORD(name, doc)	static const struct ipc_field fields_of_##name[] = {
#define MESSAGE(name, number, from, when, doc) \
	static const struct ipc_field fields_of_##name[] = {
#define FIELD(owner, type, name, max, doc) \
	{ #name, NULL, doc, offsetof(struct msg_##owner, name), max, IPC_##type },
#define LIST(owner, record, name, max, doc) \
	{ #name, &msg_##record##_desc, doc, \
	  offsetof(struct msg_##owner, name), max, IPC_LIST },
#define END(name)		{ NULL, NULL, NULL, 0, 0, IPC_U32 } };
#include IPC_DEF

#define STATE(name, bit, doc)
#define RECORD(name, doc) \
	const struct ipc_desc msg_##name##_desc = { #name, doc, \
	    fields_of_##name, sizeof(struct msg_##name), ANY, 0, IPC_EITHER };
#define MESSAGE(name, number, from, when, doc) \
	const struct ipc_desc msg_##name##_desc = { #name, doc, \
	    fields_of_##name, sizeof(struct msg_##name), when, number, \
	    IPC_##from };
#define FIELD(owner, type, name, max, doc)
#define LIST(owner, record, name, max, doc)
#define END(name)
#include IPC_DEF

#define STATE(name, bit, doc)
#define RECORD(name, doc)
#define MESSAGE(name, number, from, when, doc)	&msg_##name##_desc,
#define FIELD(owner, type, name, max, doc)
#define LIST(owner, record, name, max, doc)
#define END(name)
static const struct ipc_desc *const ipc_messages[] = {
#include IPC_DEF
	NULL
};

#define IPC_TEXT_(x)	#x
#define IPC_TEXT(x)	IPC_TEXT_(x)
const struct ipc_table IPC_TABLE = { IPC_TEXT(IPC_TABLE), ipc_messages };
