/* SPDX-License-Identifier: ISC */
/* Units stand in two small tables, largest first, read in both directions. */
#include "libutil/number.h"

#include <inttypes.h>

#include "libutil/buf.h"
#include "libutil/cursor.h"

static const struct {
	struct slice	suffix;
	int64_t		ms;
} time_units[] = {
	{ S_INIT("w"), 7 * 86400 * (int64_t)1000 },
	{ S_INIT("d"), 86400 * 1000 },
	{ S_INIT("h"), 3600 * 1000 },
	{ S_INIT("m"), 60 * 1000 },
	{ S_INIT("s"), 1000 },
	{ S_INIT("ms"), 1 },
};

static const struct {
	char		suffix;
	uint64_t	bytes;
} size_units[] = {
	{ 't', (uint64_t)1 << 40 }, { 'g', 1 << 30 }, { 'm', 1 << 20 },
	{ 'k', 1 << 10 },
};

/* number_parse_int - a signed decimal number */
int
number_parse_int(struct slice s, int64_t *ret_value)
{
	bool		negative = s.len > 0 && s.data[0] == '-';
	uint64_t	value;
	int		r;

	r = slice_to_u64(slice_from(s, negative),
	    (uint64_t)INT64_MAX + negative, &value);
	if (r < 0)
		return r;
	*ret_value = (int64_t)(negative ? -value : value);
	return 0;
}

/* number_parse_size - bytes */
int
number_parse_size(struct slice s, uint64_t *ret_bytes)
{
	uint64_t	unit = 1, value;
	int		r;

	for (size_t i = 0; i < COUNT(size_units) && s.len > 0; i++)
		if (ascii_lower(s.data[s.len - 1]) == size_units[i].suffix) {
			unit = size_units[i].bytes;
			s = slice_sub(s, 0, s.len - 1);
			break;
		}
	if ((r = slice_to_u64(s, UINT64_MAX / unit, &value)) < 0)
		return r;
	*ret_bytes = value * unit;
	return 0;
}

/* split_unit - take the digits off a text; the unit behind, or 0 */
static int64_t
split_unit(struct slice s, struct slice *ret_digits)
{
	struct cursor	c = cursor_over(s);

	*ret_digits = cursor_take_while(&c, ascii_is_digit);
	for (size_t i = 0; i < COUNT(time_units); i++)
		if (slice_equal_nocase(cursor_rest(&c), time_units[i].suffix))
			return time_units[i].ms;
	return 0;
}

/* number_parse_time - a duration */
int
number_parse_time(struct slice s, int64_t unit_ms, int64_t *ret_ms)
{
	struct slice	digits;
	int64_t		unit = split_unit(s, &digits);
	uint64_t	value;
	int		r;

	if (unit == 0) {		/* no unit that we know */
		unit = unit_ms;
		digits = s;
	}
	if ((r = slice_to_u64(digits, (uint64_t)(INT64_MAX / unit),
	    &value)) < 0)
		return r;
	*ret_ms = (int64_t)value * unit;
	return 0;
}

/* number_time_unit - the unit at the end of a text */
int64_t
number_time_unit(struct slice s)
{
	for (size_t i = COUNT(time_units); i-- > 0;)
		if (slice_has_suffix_nocase(s, time_units[i].suffix) &&
		    s.len > time_units[i].suffix.len)
			return time_units[i].ms;
	return 0;
}

/* number_parse_level - a dotted version */
int
number_parse_level(struct slice s, uint32_t *ret_level)
{
	struct cursor	c = cursor_over(s);
	uint32_t	level = 0, part;
	int		r;

	for (int shift = 20; shift >= 0; shift -= 10) {
		if ((r = cursor_u32(&c, 1023, &part)) < 0)
			return r;
		level |= part << shift;
		if (cursor_at_end(&c)) {
			*ret_level = level;
			return 0;
		}
		if (!cursor_skip_byte(&c, '.'))
			break;
	}
	return -EBADMSG;
}

/* number_format_size - with the largest unit that divides it */
void
number_format_size(struct buf *out, uint64_t bytes)
{
	for (size_t i = 0; i < COUNT(size_units); i++)
		if (bytes != 0 && bytes % size_units[i].bytes == 0) {
			buf_add_u64(out, bytes / size_units[i].bytes);
			buf_add_byte(out, size_units[i].suffix);
			return;
		}
	buf_add_u64(out, bytes);
}

/* number_format_time - with the largest unit that divides it */
void
number_format_time(struct buf *out, int64_t ms)
{
	for (size_t i = 0; i < COUNT(time_units); i++)
		if (ms != 0 && ms % time_units[i].ms == 0) {
			buf_addf(out, "%" PRId64, ms / time_units[i].ms);
			buf_add(out, time_units[i].suffix);
			return;
		}
	buf_add(out, S("0s"));
}

/* number_format_level - as few parts as say it */
void
number_format_level(struct buf *out, uint32_t level)
{
	buf_addf(out, "%" PRIu32, level >> 20);
	if ((level & 0xfffff) != 0)
		buf_addf(out, ".%" PRIu32, level >> 10 & 1023);
	if ((level & 1023) != 0)
		buf_addf(out, ".%" PRIu32, level & 1023);
}
