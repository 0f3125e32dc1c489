/* SPDX-License-Identifier: ISC */
/* The last line of every ipc_X.def: what it was read with is gone. */
#undef STATE
#undef RECORD
#undef MESSAGE
#undef FIELD
#undef LIST
#undef END
