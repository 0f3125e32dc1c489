/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_control.h"

#define IPC_DEF "libglobal/ipc_control.def"
#define IPC_TABLE ipc_table_control
#include "libtask/ipc_define.h"
