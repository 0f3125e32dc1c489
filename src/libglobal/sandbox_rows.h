/* SPDX-License-Identifier: ISC */
/*
 * The table of what each daemon is given (sandbox_rows.def), as libtask's
 * sandbox takes it. daemon_main enters the row of its daemon; `barid ps`,
 * `barid check` and the drill print and test the table.
 */
#ifndef LIBGLOBAL_SANDBOX_ROWS_H
#define LIBGLOBAL_SANDBOX_ROWS_H

#include "libtask/sandbox.h"

/* the row of a daemon; NULL if there is none of that name */
const struct sandbox_row	*sandbox_row_find(struct slice daemon);
/* row by row, from 0; NULL at the end */
const struct sandbox_row	*sandbox_row_at(size_t i);

#endif
