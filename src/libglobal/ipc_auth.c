/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_auth.h"

#define IPC_DEF "libglobal/ipc_auth.def"
#define IPC_TABLE ipc_table_auth
#include "libtask/ipc_define.h"
