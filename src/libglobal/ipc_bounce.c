/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_bounce.h"

#define IPC_DEF "libglobal/ipc_bounce.def"
#define IPC_TABLE ipc_table_bounce
#include "libtask/ipc_define.h"
