/* SPDX-License-Identifier: ISC */
/* What a command-line tool and master say to each other. See ipc_tool.def. */
#ifndef LIBGLOBAL_IPC_TOOL_H
#define LIBGLOBAL_IPC_TOOL_H

#define IPC_DEF "libglobal/ipc_tool.def"
#define IPC_TABLE ipc_table_tool
#include "libtask/ipc_declare.h"

#endif
