/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_pickup.h"

#define IPC_DEF "libglobal/ipc_pickup.def"
#define IPC_TABLE ipc_table_pickup
#include "libtask/ipc_define.h"
