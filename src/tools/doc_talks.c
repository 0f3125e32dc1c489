/* SPDX-License-Identifier: ISC */
/* All conversations in one array; the names of their states, which the tables
 * of messages hold as bits only. */
#include "libglobal/ipc_account.h"
#include "libglobal/ipc_auth.h"
#include "libglobal/ipc_bounce.h"
#include "libglobal/ipc_content.h"
#include "libglobal/ipc_control.h"
#include "libglobal/ipc_deliver.h"
#include "libglobal/ipc_delivery.h"
#include "libglobal/ipc_dns.h"
#include "libglobal/ipc_drop.h"
#include "libglobal/ipc_envelope.h"
#include "libglobal/ipc_front.h"
#include "libglobal/ipc_log.h"
#include "libglobal/ipc_map.h"
#include "libglobal/ipc_queue.h"
#include "libglobal/ipc_queue_admin.h"
#include "libglobal/ipc_sign.h"
#include "libglobal/ipc_store.h"
#include "libglobal/ipc_tool.h"
#include "libglobal/ipc_zygote.h"
#include "tools/doc.h"

const struct doc_talk doc_talks[] = {
#define TALK(table, caller, callee, gist) \
	{ &ipc_table_##table, #table, caller, callee, gist },
#include "tools/doc_talks.def"
	{ NULL, NULL, NULL, NULL, NULL },
};

static const struct talk_state {
	const struct ipc_table	*table;
	const char		*name;
	uint32_t		 bit;
	const char		*doc;
} states[] = {
#define RECORD(name, doc)
#define MESSAGE(name, number, from, when, doc)
#define FIELD(owner, type, name, max, doc)
#define LIST(owner, record, name, max, doc)
#define END(name)
#define STATE(name, bit, doc) { &ipc_table_content, #name, 1u << (bit), doc },
#include "libglobal/ipc_content.def"
#define RECORD(name, doc)
#define MESSAGE(name, number, from, when, doc)
#define FIELD(owner, type, name, max, doc)
#define LIST(owner, record, name, max, doc)
#define END(name)
#define STATE(name, bit, doc) { &ipc_table_front, #name, 1u << (bit), doc },
#include "libglobal/ipc_front.def"
#define RECORD(name, doc)
#define MESSAGE(name, number, from, when, doc)
#define FIELD(owner, type, name, max, doc)
#define LIST(owner, record, name, max, doc)
#define END(name)
#define STATE(name, bit, doc) { &ipc_table_queue, #name, 1u << (bit), doc },
#include "libglobal/ipc_queue.def"
	{ NULL, NULL, 0, NULL },
};

/* how a field's type and bound are said */
static const struct {
	const char	*no_bound;
	const char	*bound;		/* with one %u */
} types[] = {
	[IPC_U32] = { "U32", "U32 up to %u" },
	[IPC_U64] = { "U64", "U64" },
	[IPC_I64] = { "I64", "I64" },
	[IPC_BOOL] = { "BOOL", "BOOL" },
	[IPC_STR] = { "STR", "STR up to %u bytes" },
	[IPC_BYTES] = { "BYTES", "BYTES up to %u" },
	[IPC_FD] = { "FD", "FD" },
	[IPC_OPTFD] = { "OPTFD", "OPTFD" },
	[IPC_LIST] = { "list of ", "list of up to %u " },
};

/* doc_talk_find - the conversation of that name */
const struct doc_talk *
doc_talk_find(struct slice name)
{
	for (const struct doc_talk *t = doc_talks; t->table != NULL; t++)
		if (slice_equal(name, slice_of(t->name)))
			return t;
	return NULL;
}

/* doc_talk_states - the states in which it may be said, in words */
void
doc_talk_states(struct buf *out, const struct doc_talk *talk, uint32_t when)
{
	const char *between = "";

	if (when == IPC_STATE_ANY)
		return;
	for (const struct talk_state *s = states; s->table != NULL; s++)
		if (s->table == talk->table && (s->bit & when) != 0) {
			buf_addf(out, "%s%s", between, s->name);
			between = ", ";
		}
}

/* doc_talk_each_state - call back with each state */
void
doc_talk_each_state(const struct doc_talk *talk,
    void (*fn)(void *arg, const char *name, const char *doc), void *arg)
{
	for (const struct talk_state *s = states; s->table != NULL; s++)
		if (s->table == talk->table)
			fn(arg, s->name, s->doc);
}

/* doc_talk_field - type and bound of a field */
void
doc_talk_field(struct buf *out, const struct ipc_field *field)
{
	if (field->max == 0)
		buf_add_text(out, types[field->type].no_bound);
	else
		buf_addf(out, types[field->type].bound, field->max);
	if (field->type == IPC_LIST)
		buf_add_text(out, field->record->name);
}
