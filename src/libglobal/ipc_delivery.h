/* SPDX-License-Identifier: ISC */
/* What qmgr asks of a delivery agent. See ipc_delivery.def. */
#ifndef LIBGLOBAL_IPC_DELIVERY_H
#define LIBGLOBAL_IPC_DELIVERY_H

#include "libglobal/ipc_envelope.h"

#define IPC_DEF "libglobal/ipc_delivery.def"
#define IPC_TABLE ipc_table_delivery
#include "libtask/ipc_declare.h"

#endif
