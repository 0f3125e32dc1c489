/* SPDX-License-Identifier: ISC */
/* A message's envelope, as it travels and as it is stored in the queue. See ipc_envelope.def. */
#ifndef LIBGLOBAL_IPC_ENVELOPE_H
#define LIBGLOBAL_IPC_ENVELOPE_H

#define IPC_DEF "libglobal/ipc_envelope.def"
#define IPC_TABLE ipc_table_envelope
#include "libtask/ipc_declare.h"

#endif
