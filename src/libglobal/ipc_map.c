/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_map.h"

#define IPC_DEF "libglobal/ipc_map.def"
#define IPC_TABLE ipc_table_map
#include "libtask/ipc_define.h"
