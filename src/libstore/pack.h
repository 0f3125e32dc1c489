/* SPDX-License-Identifier: ISC */
/*
 * pack: upkeep of the packs. New bodies are committed inside the environment;
 * pack_run moves them, compressed, to the open pack. Each call is one work
 * item; the account process runs it within 60 s of a delivery.
 *
 * The format of a pack record is in doc/store-format.md and packrec.h.
 */
#ifndef LIBSTORE_PACK_H
#define LIBSTORE_PACK_H

#include "libstore/account.h"

/* move up to budget bytes of bodies into the open pack, oldest first; 1 if
 * more are waiting, 0 if none */
MUST_USE int	pack_run(struct account *a, uint64_t budget);
/* rewrite the live records of the sealed pack that wastes most, if over a
 * quarter of it is dead, up to budget bytes, and remove packs that are all
 * dead; 1 if there is more to do, 0 if not */
MUST_USE int	pack_rewrite(struct account *a, uint64_t budget);
/* give unused room of the environment back, if over half is unused; 1 if it
 * did */
MUST_USE int	account_compact(struct account *a);

#endif
