/* SPDX-License-Identifier: ISC */
/* What local programs say to pickup. See ipc_pickup.def. */
#ifndef LIBGLOBAL_IPC_PICKUP_H
#define LIBGLOBAL_IPC_PICKUP_H

#define IPC_DEF "libglobal/ipc_pickup.def"
#define IPC_TABLE ipc_table_pickup
#include "libtask/ipc_declare.h"

#endif
