/* SPDX-License-Identifier: ISC */
/* Questions to dnsd. See ipc_dns.def. */
#ifndef LIBGLOBAL_IPC_DNS_H
#define LIBGLOBAL_IPC_DNS_H

#define IPC_DEF "libglobal/ipc_dns.def"
#define IPC_TABLE ipc_table_dns
#include "libtask/ipc_declare.h"

#endif
