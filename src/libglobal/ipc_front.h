/* SPDX-License-Identifier: ISC */
/* What a front and a session in an account process relay. See ipc_front.def. */
#ifndef LIBGLOBAL_IPC_FRONT_H
#define LIBGLOBAL_IPC_FRONT_H

#define IPC_DEF "libglobal/ipc_front.def"
#define IPC_TABLE ipc_table_front
#include "libtask/ipc_declare.h"

#endif
