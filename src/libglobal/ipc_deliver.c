/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_deliver.h"

#define IPC_DEF "libglobal/ipc_deliver.def"
#define IPC_TABLE ipc_table_deliver
#include "libtask/ipc_define.h"
