/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_envelope.h"

#define IPC_DEF "libglobal/ipc_envelope.def"
#define IPC_TABLE ipc_table_envelope
#include "libtask/ipc_define.h"
