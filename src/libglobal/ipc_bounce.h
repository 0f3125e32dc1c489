/* SPDX-License-Identifier: ISC */
/* Reports that qmgr asks of bounce. See ipc_bounce.def. */
#ifndef LIBGLOBAL_IPC_BOUNCE_H
#define LIBGLOBAL_IPC_BOUNCE_H

#include "libglobal/ipc_envelope.h"

#include "libglobal/ipc_delivery.h"

#define IPC_DEF "libglobal/ipc_bounce.def"
#define IPC_TABLE ipc_table_bounce
#include "libtask/ipc_declare.h"

#endif
