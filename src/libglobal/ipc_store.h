/* SPDX-License-Identifier: ISC */
/* What lmtpd, the fronts and mapd ask of stored. See ipc_store.def. */
#ifndef LIBGLOBAL_IPC_STORE_H
#define LIBGLOBAL_IPC_STORE_H

#define IPC_DEF "libglobal/ipc_store.def"
#define IPC_TABLE ipc_table_store
#include "libtask/ipc_declare.h"

#endif
