/* SPDX-License-Identifier: ISC */
/* Logins, tickets and accounts: questions to authd. See ipc_auth.def. */
#ifndef LIBGLOBAL_IPC_AUTH_H
#define LIBGLOBAL_IPC_AUTH_H

#define IPC_DEF "libglobal/ipc_auth.def"
#define IPC_TABLE ipc_table_auth
#include "libtask/ipc_declare.h"

#endif
