/* SPDX-License-Identifier: ISC */
/* A local submission's envelope in its file. See ipc_drop.def. */
#ifndef LIBGLOBAL_IPC_DROP_H
#define LIBGLOBAL_IPC_DROP_H

#define IPC_DEF "libglobal/ipc_drop.def"
#define IPC_TABLE ipc_table_drop
#include "libtask/ipc_declare.h"

#endif
