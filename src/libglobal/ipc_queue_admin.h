/* SPDX-License-Identifier: ISC */
/* What the queue tools ask of qmgr. See ipc_queue_admin.def. */
#ifndef LIBGLOBAL_IPC_QUEUE_ADMIN_H
#define LIBGLOBAL_IPC_QUEUE_ADMIN_H

#define IPC_DEF "libglobal/ipc_queue_admin.def"
#define IPC_TABLE ipc_table_queue_admin
#include "libtask/ipc_declare.h"

#endif
