/* SPDX-License-Identifier: ISC */
/* What master and a daemon say to each other. See ipc_control.def. */
#ifndef LIBGLOBAL_IPC_CONTROL_H
#define LIBGLOBAL_IPC_CONTROL_H

#define IPC_DEF "libglobal/ipc_control.def"
#define IPC_TABLE ipc_table_control
#include "libtask/ipc_declare.h"

#endif
