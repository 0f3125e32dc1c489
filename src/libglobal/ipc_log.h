/* SPDX-License-Identifier: ISC */
/* What every daemon tells logd. See ipc_log.def. */
#ifndef LIBGLOBAL_IPC_LOG_H
#define LIBGLOBAL_IPC_LOG_H

#define IPC_DEF "libglobal/ipc_log.def"
#define IPC_TABLE ipc_table_log
#include "libtask/ipc_declare.h"

#endif
