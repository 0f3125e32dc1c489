/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_drop.h"

#define IPC_DEF "libglobal/ipc_drop.def"
#define IPC_TABLE ipc_table_drop
#include "libtask/ipc_define.h"
