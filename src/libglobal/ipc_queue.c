/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_queue.h"

#define IPC_DEF "libglobal/ipc_queue.def"
#define IPC_TABLE ipc_table_queue
#include "libtask/ipc_define.h"
