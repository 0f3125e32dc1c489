/* SPDX-License-Identifier: ISC */
/* What lmtpd asks of an account process. See ipc_deliver.def. */
#ifndef LIBGLOBAL_IPC_DELIVER_H
#define LIBGLOBAL_IPC_DELIVER_H

#include "libglobal/ipc_envelope.h"

#define IPC_DEF "libglobal/ipc_deliver.def"
#define IPC_TABLE ipc_table_deliver
#include "libtask/ipc_declare.h"

#endif
