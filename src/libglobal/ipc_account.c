/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_account.h"

#define IPC_DEF "libglobal/ipc_account.def"
#define IPC_TABLE ipc_table_account
#include "libtask/ipc_define.h"
