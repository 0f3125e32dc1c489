/* SPDX-License-Identifier: ISC */
/* A message's way from smtpd, pickup or bounce into cleanup. See ipc_content.def. */
#ifndef LIBGLOBAL_IPC_CONTENT_H
#define LIBGLOBAL_IPC_CONTENT_H

#include "libglobal/ipc_envelope.h"

#define IPC_DEF "libglobal/ipc_content.def"
#define IPC_TABLE ipc_table_content
#include "libtask/ipc_declare.h"

#endif
