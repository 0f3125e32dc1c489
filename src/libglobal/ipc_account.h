/* SPDX-License-Identifier: ISC */
/* What stored and an account process say to each other. See ipc_account.def. */
#ifndef LIBGLOBAL_IPC_ACCOUNT_H
#define LIBGLOBAL_IPC_ACCOUNT_H

#define IPC_DEF "libglobal/ipc_account.def"
#define IPC_TABLE ipc_table_account
#include "libtask/ipc_declare.h"

#endif
