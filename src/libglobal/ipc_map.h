/* SPDX-License-Identifier: ISC */
/* Address questions to mapd. See ipc_map.def. */
#ifndef LIBGLOBAL_IPC_MAP_H
#define LIBGLOBAL_IPC_MAP_H

#define IPC_DEF "libglobal/ipc_map.def"
#define IPC_TABLE ipc_table_map
#include "libtask/ipc_declare.h"

#endif
