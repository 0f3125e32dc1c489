/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_sign.h"

#define IPC_DEF "libglobal/ipc_sign.def"
#define IPC_TABLE ipc_table_sign
#include "libtask/ipc_define.h"
