/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_log.h"

#define IPC_DEF "libglobal/ipc_log.def"
#define IPC_TABLE ipc_table_log
#include "libtask/ipc_define.h"
