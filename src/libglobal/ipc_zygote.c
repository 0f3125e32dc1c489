/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_zygote.h"

#define IPC_DEF "libglobal/ipc_zygote.def"
#define IPC_TABLE ipc_table_zygote
#include "libtask/ipc_define.h"
