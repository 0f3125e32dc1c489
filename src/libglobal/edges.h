/* SPDX-License-Identifier: ISC */
/*
 * edges: who may call whom, from edges.def. Every daemon also has an edge to
 * logd; it is made with the process.
 */
#ifndef LIBGLOBAL_EDGES_H
#define LIBGLOBAL_EDGES_H

#include "libtask/ipc.h"

struct edge_row {
	const char			*caller;
	const char			*callee;
	const struct ipc_table		*table;
	const char			*doc;
};

/* NULL: these two do not talk */
const struct edge_row	*edges_find(struct slice caller, struct slice callee);
/* all rows, for manual pages and tests; a NULL caller ends the array */
extern const struct edge_row	edges_table[];

#endif
