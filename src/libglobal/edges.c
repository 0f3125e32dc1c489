/* SPDX-License-Identifier: ISC */
/* The table of edges.def as an array; it is short and looked up rarely. */
#include "libglobal/edges.h"

#include "libglobal/ipc_account.h"
#include "libglobal/ipc_auth.h"
#include "libglobal/ipc_bounce.h"
#include "libglobal/ipc_content.h"
#include "libglobal/ipc_dns.h"
#include "libglobal/ipc_log.h"
#include "libglobal/ipc_map.h"
#include "libglobal/ipc_queue.h"
#include "libglobal/ipc_queue_admin.h"
#include "libglobal/ipc_sign.h"
#include "libglobal/ipc_store.h"
#include "libglobal/ipc_zygote.h"

const struct edge_row edges_table[] = {
#define EDGE(caller, callee, table, doc) \
	{ #caller, #callee, &ipc_table_##table, doc },
#include "libglobal/edges.def"
	{ NULL, NULL, NULL, NULL }
};

/* edges_find - may this one call that one? */
const struct edge_row *
edges_find(struct slice caller, struct slice callee)
{
	for (const struct edge_row *e = edges_table; e->caller != NULL; e++)
		if (slice_equal(slice_of(e->caller), caller) &&
		    slice_equal(slice_of(e->callee), callee))
			return e;
	return NULL;
}
