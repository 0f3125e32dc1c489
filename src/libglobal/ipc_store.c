/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_store.h"

#define IPC_DEF "libglobal/ipc_store.def"
#define IPC_TABLE ipc_table_store
#include "libtask/ipc_define.h"
