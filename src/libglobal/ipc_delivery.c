/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_delivery.h"

#define IPC_DEF "libglobal/ipc_delivery.def"
#define IPC_TABLE ipc_table_delivery
#include "libtask/ipc_define.h"
