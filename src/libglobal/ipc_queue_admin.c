/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_queue_admin.h"

#define IPC_DEF "libglobal/ipc_queue_admin.def"
#define IPC_TABLE ipc_table_queue_admin
#include "libtask/ipc_define.h"
