/* SPDX-License-Identifier: ISC */
#include "libglobal/ipc_dns.h"

#define IPC_DEF "libglobal/ipc_dns.def"
#define IPC_TABLE ipc_table_dns
#include "libtask/ipc_define.h"
