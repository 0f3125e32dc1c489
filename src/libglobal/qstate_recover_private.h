/* SPDX-License-Identifier: ISC */
/*
 * qstate_recover_private: one recovery under way, for qstate_recover*.c only.
 * qstate_recover.c decides about what lies in slots and files,
 * qstate_recover_state.c goes through what the state knows.
 */
#ifndef LIBGLOBAL_QSTATE_RECOVER_PRIVATE_H
#define LIBGLOBAL_QSTATE_RECOVER_PRIVATE_H

#include "libglobal/qstate_recover.h"
#include "libutil/hash.h"

/* slots of one class, a bit each */
struct recover_bits {
	uint8_t	*byte;
	size_t	 len;
};

struct recovery {
	struct qstate			*s;
	int				 queue_fd;
	int64_t				 now;
	bool				 change;
	bool				 fresh;
	bool				 reindex;
	const struct recover_ops	*ops;
	struct recover_totals		 totals;
	struct qstate_batch		*batch;
	struct arena			 arena;
	struct buf			 envelope;
	struct hash			 seen;	/* ids found, not in bits */
	/* slots that hold what the state knows, and slots that have a file */
	struct recover_bits		 known[SLOT_CLASSES];
	struct recover_bits		 present[SLOT_CLASSES];
};

/* said of a message from both sides */
extern const char recover_why_record[];

/* remember a number; is it remembered? */
void	recover_bits_set(struct recover_bits *b, uint32_t number);
bool	recover_bits_has(const struct recover_bits *b, uint32_t number);
/* count a finding and tell it */
int	recover_tell(struct recovery *v, const struct recover_item *item);
/* commit what has been collected */
int	recover_flush(struct recovery *v);
/* tell the messages that the state knows and nobody found */
int	recover_check_records(struct recovery *v);
/* commit what is left, and the mark that recovery is done */
int	recover_finish(struct recovery *v);

#endif
