/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_front.h"

#define IPC_DEF "libglobal/ipc_front.def"
#define IPC_TABLE ipc_table_front
#include "libtask/ipc_define.h"
