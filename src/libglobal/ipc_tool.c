/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_tool.h"

#define IPC_DEF "libglobal/ipc_tool.def"
#define IPC_TABLE ipc_table_tool
#include "libtask/ipc_define.h"
