/* SPDX-License-Identifier: ISC */
/* doc/ipc.md as `barid doc ipc` prints it: who talks to whom, then each
 * conversation with its states, messages and records. */
#include "libglobal/edges.h"
#include "tools/doc.h"

#define SEEN_MAX	64	/* records of one conversation */

static const char intro[] =
"# Conversations\n\n"
"This page is written by `barid doc ipc` from `src/libglobal/ipc_*.def` and\n"
"`edges.def`; a test compares the two.\n\n"
"Daemons talk over pairs of connected Unix stream sockets, in frames of typed\n"
"fields (`src/libtask/ipc.h`). Whoever asked for the pair is the caller, the\n"
"other end the callee. A message is said by one of them, in the states that its\n"
"row names; a message with a number that the receiver does not know, a field\n"
"that is missing, too long or of another type, or a message at the wrong time\n"
"ends the connection, and never the process. Fields that the receiver does not\n"
"know are skipped. `(a call)` is answered by one message of the other end.\n\n"
"Types: U32, U64, I64 numbers; BOOL; STR text without NUL; BYTES; FD a\n"
"descriptor, OPTFD one that may be absent; lists of records.\n\n"
"## Who may call whom\n\n"
"master hands out no other edge.\n\n"
"| caller | callee | conversation | for |\n|---|---|---|---|\n";

/* escaped - text in a cell of a table */
static void
escaped(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			buf_add_byte(out, '\\');
		buf_add_byte(out, *text);
	}
}

/* fields - the fields of a message or record */
static void
fields(struct buf *out, const struct ipc_desc *d)
{
	if (d->fields[0].name == NULL) {
		buf_add_text(out, "No fields.\n\n");
		return;
	}
	buf_add_text(out, "| field | type | what |\n|---|---|---|\n");
	for (const struct ipc_field *f = d->fields; f->name != NULL; f++) {
		buf_addf(out, "| %s | ", f->name);
		doc_talk_field(out, f);
		buf_add_text(out, " | ");
		escaped(out, f->doc);
		buf_add_text(out, " |\n");
	}
	buf_add_byte(out, '\n');
}

/* the records that the messages of a conversation hold */
struct records {
	const struct ipc_desc	*seen[SEEN_MAX];
	size_t			 count;
};

/* collect - note the records of a message; each is looked through in turn */
static void
collect(struct records *r, const struct ipc_desc *d)
{
	size_t i;

	for (const struct ipc_field *f = d->fields; f->name != NULL; f++) {
		if (f->record == NULL || r->count == SEEN_MAX)
			continue;
		for (i = 0; i < r->count && r->seen[i] != f->record; i++)
			continue;
		if (i == r->count)
			r->seen[r->count++] = f->record;
	}
}

/* state - a state of the conversation */
static void
state(void *out, const char *name, const char *doc)
{
	buf_addf(out, "- state %s: %s\n", name, doc);
}

/* message - one message */
static void
message(struct buf *out, const struct doc_talk *talk, const struct ipc_desc *d)
{
	static const char *const from[] = {
		[IPC_CALLER] = "caller", [IPC_CALLEE] = "callee",
		[IPC_EITHER] = "either end",
	};
	size_t before;

	buf_addf(out, "### %s (%u, said by the %s", d->name, d->number,
	    from[d->from]);
	buf_add_text(out, "; ");
	before = out->len;
	doc_talk_states(out, talk, d->when);
	if (out->len == before)
		buf_truncate(out, before - 2);
	buf_addf(out, ")\n\n%s\n\n", d->doc);
	fields(out, d);
}

/* conversation - all of one */
static void
conversation(struct buf *out, const struct doc_talk *talk)
{
	struct records	 records = { .count = 0 };
	size_t		 before;

	buf_addf(out, "## %s\n\n%s\n\n", talk->name, talk->gist);
	if (talk->caller[0] != '\0')
		buf_addf(out, "- %s calls %s\n", talk->caller, talk->callee);
	for (const struct edge_row *e = edges_table; e->caller != NULL; e++)
		if (e->table == talk->table)
			buf_addf(out, "- %s calls %s\n", e->caller, e->callee);
	doc_talk_each_state(talk, state, out);
	before = out->len;
	if (before > 1 && out->data[before - 2] != '\n')
		buf_add_byte(out, '\n');
	for (size_t i = 0; talk->table->messages[i] != NULL; i++) {
		message(out, talk, talk->table->messages[i]);
		collect(&records, talk->table->messages[i]);
	}
	for (size_t i = 0; i < records.count; i++) {
		collect(&records, records.seen[i]);
		buf_addf(out, "### record %s\n\n%s\n\n", records.seen[i]->name,
		    records.seen[i]->doc);
		fields(out, records.seen[i]);
	}
}

/* doc_ipc - the whole page */
int
doc_ipc(struct buf *out)
{
	buf_add_text(out, intro);
	for (const struct edge_row *e = edges_table; e->caller != NULL; e++) {
		const struct doc_talk *talk = doc_talks;

		while (talk->table != NULL && talk->table != e->table)
			talk++;
		if (talk->table == NULL)
			return -ENOENT;
		buf_addf(out, "| %s | %s | [%s](#%s) | %s |\n", e->caller,
		    e->callee, talk->name, talk->name, e->doc);
	}
	buf_add_byte(out, '\n');
	for (const struct doc_talk *t = doc_talks; t->table != NULL; t++)
		conversation(out, t);
	if (out->len > 0)
		buf_truncate(out, out->len - 1);	/* one newline ends it */
	return buf_check(out);
}
