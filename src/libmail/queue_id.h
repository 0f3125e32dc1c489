/* SPDX-License-Identifier: ISC */
/*
 * queue_id: the name of a message in queue, log and reply; also the shorter
 * name of a session. It has the look of Postfix's long queue ids, so that
 * tools that read logs know it: six base-52 digits of seconds, four of
 * microseconds, 'z', then base-51 digits of what makes it unique (the process
 * number and a counter). The digits are letters without vowels, so an id says
 * nothing rude, and ids of one process sort by time.
 *
 * An id never repeats as long as no two processes alive have the same number
 * and the clock is not set back over the life of a process that had it; inside
 * one process it does not even then: time only goes forward in ids.
 *
 * An id is a value of fixed size: compare and hash its bytes as they are.
 */
#ifndef LIBMAIL_QUEUE_ID_H
#define LIBMAIL_QUEUE_ID_H

#include "libutil/slice.h"

#define QUEUE_ID_MAX	23

struct queue_id {
	char	text[QUEUE_ID_MAX + 1];	/* NUL to the end */
};

struct session_id {
	char	text[16];
};

#define QUEUE_ID_INIT	{ "" }

/* one a process makes its ids from; all zero but for the process number */
struct queue_id_source {
	uint32_t	process;	/* the pid, or a number master gave */
	uint32_t	count;
	uint64_t	last;		/* microseconds in the last id */
};

#define QUEUE_ID_SOURCE(process_number)	{ (process_number), 0, 0 }

/* the next id, for that time since 1970 */
struct queue_id		queue_id_make(struct queue_id_source *source,
			    uint64_t seconds, uint32_t microseconds);
struct session_id	session_id_make(struct queue_id_source *source,
			    uint64_t seconds, uint32_t microseconds);

/* -EBADMSG: the slice is not such an id */
MUST_USE int	queue_id_parse(struct slice in, struct queue_id *ret_id);
/* the time it was made */
void	queue_id_time(const struct queue_id *id, uint64_t *ret_seconds,
	    uint32_t *ret_microseconds);

/* queue_id_text - lends the text, as long as the id lives */
static inline struct slice
queue_id_text(const struct queue_id *id)
{
	return slice_of(id->text);
}

static inline bool
queue_id_equal(const struct queue_id *a, const struct queue_id *b)
{
	return memcmp(a->text, b->text, sizeof(a->text)) == 0;
}

/* queue_id_is_empty - is it QUEUE_ID_INIT? */
static inline bool
queue_id_is_empty(const struct queue_id *id)
{
	return id->text[0] == '\0';
}

#endif
