/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_content.h"

#define IPC_DEF "libglobal/ipc_content.def"
#define IPC_TABLE ipc_table_content
#include "libtask/ipc_define.h"
