/* SPDX-License-Identifier: ISC */
/*
 * Frames of every conversation: whatever bytes come, decoding stays inside
 * them; what decodes encodes, and decodes to what encodes the same.
 */
#include "test.h"

#include "libglobal/edges.h"
#include "libglobal/ipc_account.h"
#include "libglobal/ipc_control.h"
#include "libglobal/ipc_deliver.h"
#include "libglobal/ipc_delivery.h"
#include "libglobal/ipc_envelope.h"
#include "libglobal/ipc_front.h"
#include "libglobal/ipc_log.h"
#include "libglobal/ipc_tool.h"
#include "libutil/arena.h"

static const struct ipc_table *const others[] = {
	&ipc_table_account, &ipc_table_control, &ipc_table_deliver,
	&ipc_table_delivery, &ipc_table_envelope, &ipc_table_front,
	&ipc_table_log, &ipc_table_tool,
};

/* table_of - one of all tables */
static const struct ipc_table *
table_of(unsigned char n)
{
	size_t edges = 0;

	while (edges_table[edges].caller != NULL)
		edges++;
	n = (unsigned char)(n % (edges + COUNT(others)));
	return n < edges ? edges_table[n].table : others[n - edges];
}

/* has_fds - descriptors cannot be made of bytes */
static bool
has_fds(const struct ipc_desc *d)
{
	for (const struct ipc_field *f = d->fields; f->name != NULL; f++)
		if (f->type == IPC_FD)
			return true;
	return false;
}

FUZZ(ipc)
{
	const struct ipc_table	*t;
	const struct ipc_desc	*d;
	struct buf		 again = BUF_INIT;
	struct arena		 a = ARENA_INIT;
	void			*msg, *second;
	size_t			 count = 0;

	if (input.len < 2)
		return;
	t = table_of((unsigned char)input.data[0]);
	while (t->messages[count] != NULL)
		count++;
	d = t->messages[(unsigned char)input.data[1] % count];
	if (ipc_unpack(d, slice_from(input, 2), &a, &msg) == 0) {
		FUZZ_CHECK(!has_fds(d));
		FUZZ_CHECK(ipc_pack(d, msg, scratch) == 0);
		FUZZ_CHECK(ipc_unpack(d, buf_slice(scratch), &a, &second) == 0);
		FUZZ_CHECK(ipc_pack(d, second, &again) == 0);
		FUZZ_CHECK(slice_equal(buf_slice(scratch), buf_slice(&again)));
		ipc_format(d, msg, &again);
	}
	buf_free(&again);
	arena_free(&a);
}
