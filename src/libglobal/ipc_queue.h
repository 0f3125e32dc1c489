/* SPDX-License-Identifier: ISC */
/* What cleanup and qmgr say to each other. See ipc_queue.def. */
#ifndef LIBGLOBAL_IPC_QUEUE_H
#define LIBGLOBAL_IPC_QUEUE_H

#include "libglobal/ipc_envelope.h"

#define IPC_DEF "libglobal/ipc_queue.def"
#define IPC_TABLE ipc_table_queue
#include "libtask/ipc_declare.h"

#endif
