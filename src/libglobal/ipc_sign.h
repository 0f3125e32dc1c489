/* SPDX-License-Identifier: ISC */
/* Certificates, and signatures by keys that only signd holds. See ipc_sign.def. */
#ifndef LIBGLOBAL_IPC_SIGN_H
#define LIBGLOBAL_IPC_SIGN_H

#define IPC_DEF "libglobal/ipc_sign.def"
#define IPC_TABLE ipc_table_sign
#include "libtask/ipc_declare.h"

#endif
