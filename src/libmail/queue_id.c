/* SPDX-License-Identifier: ISC */
/*
 * Two ids of one process differ in their time, because that is made to grow
 * with each; two of different processes differ in the process number, which
 * fills the last but three digits. The count behind it tells ids apart when
 * a process with the same number lived in the same microseconds of a clock
 * that was set back.
 */
#include "libmail/queue_id.h"

#include <assert.h>

#define DIGITS		"0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
#define TIME_BASE	52
#define UNIQUE_BASE	51		/* without the 'z' that stands before */
#define SECOND_DIGITS	6		/* enough until the year 2595 */
#define MICRO_DIGITS	4
#define COUNT_LIMIT	(UNIQUE_BASE * UNIQUE_BASE * UNIQUE_BASE)
#define COUNT_DIGITS	3
#define PROCESS_DIGITS	6		/* of 32 bits */
#define UNIQUE_AT	(SECOND_DIGITS + MICRO_DIGITS + 1)
#define MILLION		UINT64_C(1000000)

_Static_assert(sizeof(DIGITS) - 1 == TIME_BASE, "a digit is missing");
_Static_assert(UNIQUE_AT + PROCESS_DIGITS + COUNT_DIGITS <= QUEUE_ID_MAX,
    "ids do not fit");

/* put_digits - the lowest n digits of the value, at text */
static void
put_digits(char *text, size_t n, uint64_t value, unsigned base)
{
	while (n-- > 0) {
		text[n] = DIGITS[value % base];
		value /= base;
	}
}

/* digit_count - how many digits the value has, at least one */
static size_t
digit_count(uint64_t value, unsigned base)
{
	size_t	n = 1;

	while ((value /= base) > 0)
		n++;
	return n;
}

/* digit_value - 0 to 51, or -1 */
static int
digit_value(char c)
{
	const char	*p = c == '\0' ? NULL : strchr(DIGITS, c);

	return p == NULL ? -1 : (int)(p - DIGITS);
}

/* next_time - the time given, or what comes after the last one */
static uint64_t
next_time(struct queue_id_source *source, uint64_t seconds,
    uint32_t microseconds)
{
	uint64_t	now = seconds * MILLION + microseconds;

	source->last = now > source->last ? now : source->last + 1;
	source->count = (source->count + 1) % COUNT_LIMIT;
	return source->last;
}

/* queue_id_make - the next id */
struct queue_id
queue_id_make(struct queue_id_source *source, uint64_t seconds,
    uint32_t microseconds)
{
	struct queue_id	id = QUEUE_ID_INIT;
	uint64_t	time = next_time(source, seconds, microseconds);
	uint64_t	unique = (uint64_t)source->process * COUNT_LIMIT +
			    source->count;
	size_t		n = digit_count(unique, UNIQUE_BASE);

	put_digits(id.text, SECOND_DIGITS, time / MILLION, TIME_BASE);
	put_digits(id.text + SECOND_DIGITS, MICRO_DIGITS, time % MILLION,
	    TIME_BASE);
	id.text[UNIQUE_AT - 1] = 'z';
	put_digits(id.text + UNIQUE_AT, n, unique, UNIQUE_BASE);
	return id;
}

/* session_id_make - the next id of a session: microseconds and process */
struct session_id
session_id_make(struct queue_id_source *source, uint64_t seconds,
    uint32_t microseconds)
{
	struct session_id	id = { "" };
	uint64_t		time = next_time(source, seconds, microseconds);

	put_digits(id.text, 9, time, TIME_BASE);
	put_digits(id.text + 9, PROCESS_DIGITS, source->process, TIME_BASE);
	return id;
}

/* read_digits - the value of n digits, or -EBADMSG */
static int
read_digits(struct slice s, int base, uint64_t *ret_value)
{
	uint64_t	value = 0;

	for (size_t i = 0; i < s.len; i++) {
		int	digit = digit_value(s.data[i]);

		if (digit < 0 || digit >= base)
			return -EBADMSG;
		value = value * (unsigned)base + (unsigned)digit;
	}
	*ret_value = value;
	return 0;
}

/* queue_id_parse - is it an id of ours? */
int
queue_id_parse(struct slice in, struct queue_id *ret_id)
{
	struct queue_id	id = QUEUE_ID_INIT;
	uint64_t	seconds, microseconds, unique;
	int		r;

	if (in.len <= UNIQUE_AT ||
	    in.len > UNIQUE_AT + PROCESS_DIGITS + COUNT_DIGITS ||
	    in.data[UNIQUE_AT - 1] != 'z')
		return -EBADMSG;
	if ((r = read_digits(slice_sub(in, 0, SECOND_DIGITS), TIME_BASE,
	    &seconds)) < 0 ||
	    (r = read_digits(slice_sub(in, SECOND_DIGITS, MICRO_DIGITS),
	    TIME_BASE, &microseconds)) < 0 ||
	    (r = read_digits(slice_from(in, UNIQUE_AT), UNIQUE_BASE,
	    &unique)) < 0)
		return r;
	if (microseconds >= MILLION)
		return -EBADMSG;
	memcpy(id.text, in.data, in.len);
	*ret_id = id;
	return 0;
}

/* queue_id_time - when the id was made */
void
queue_id_time(const struct queue_id *id, uint64_t *ret_seconds,
    uint32_t *ret_microseconds)
{
	struct slice	text = queue_id_text(id);
	uint64_t	seconds = 0, microseconds = 0;

	if (read_digits(slice_sub(text, 0, SECOND_DIGITS), TIME_BASE,
	    &seconds) < 0 ||
	    read_digits(slice_sub(text, SECOND_DIGITS, MICRO_DIGITS),
	    TIME_BASE, &microseconds) < 0)
		assert(!"a queue id that was not checked");
	*ret_seconds = seconds;
	*ret_microseconds = (uint32_t)microseconds;
}
