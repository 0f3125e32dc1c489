/* SPDX-License-Identifier: ISC */
/* What stored asks of the zygote. See ipc_zygote.def. */
#ifndef LIBGLOBAL_IPC_ZYGOTE_H
#define LIBGLOBAL_IPC_ZYGOTE_H

#define IPC_DEF "libglobal/ipc_zygote.def"
#define IPC_TABLE ipc_table_zygote
#include "libtask/ipc_declare.h"

#endif
