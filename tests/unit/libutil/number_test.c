/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libutil/number.h"

TEST(number_parse)
{
	static const struct { const char *in; int r; int64_t want; } times[] = {
		{ "0", 0, 0 }, { "5", 0, 5000 }, { "5s", 0, 5000 },
		{ "5ms", 0, 5 }, { "2m", 0, 120000 }, { "1h", 0, 3600000 },
		{ "1d", 0, 86400000 }, { "1w", 0, 604800000 },
		{ "1W", 0, 604800000 }, { "", -EBADMSG, 0 }, { "s", -EBADMSG, 0 },
		{ "5 s", -EBADMSG, 0 }, { "5sm", -EBADMSG, 0 },
		{ "9223372036854775807", -ERANGE, 0 },
		{ "99999999999999999999s", -ERANGE, 0 },
	};
	static const struct { const char *in; int r; uint64_t want; } sizes[] = {
		{ "0", 0, 0 }, { "1k", 0, 1024 }, { "1M", 0, 1 << 20 },
		{ "16777216t", -ERANGE, 0 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 }, { "k", -EBADMSG, 0 },
		{ "1kk", -EBADMSG, 0 }, { "", -EBADMSG, 0 }, { "-1", -EBADMSG, 0 },
	};
	static const struct { const char *in; int r; } levels[] = {
		{ "0", 0 }, { "2", 0 }, { "3.6", 0 }, { "3.10.2", 0 },
		{ "3.", -EBADMSG }, { "", -EBADMSG }, { "1.2.3.4", -EBADMSG },
		{ "1024", -ERANGE }, { "3.6x", -EBADMSG }, { ".1", -EBADMSG },
	};
	static const struct { const char *in; int r; int64_t want; } ints[] = {
		{ "0", 0, 0 }, { "-0", 0, 0 }, { "-", -EBADMSG, 0 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "-9223372036854775808", 0, INT64_MIN },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "--1", -EBADMSG, 0 }, { "+1", -EBADMSG, 0 },
	};
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < COUNT(times); i++) {
		int64_t ms = -1, again = -2;

		CHECK_INT(number_parse_time(slice_of(times[i].in), 1000, &ms),
		    times[i].r, i);
		if (times[i].r < 0)
			continue;
		CHECK_INT(ms, times[i].want, i);
		buf_reset(&out);
		number_format_time(&out, ms);
		CHECK_INT(number_parse_time(buf_slice(&out), 1, &again), 0, i);
		CHECK_INT(again, ms, i);
	}
	for (size_t i = 0; i < COUNT(sizes); i++) {
		uint64_t size = 1, again = 2;

		CHECK_INT(number_parse_size(slice_of(sizes[i].in), &size),
		    sizes[i].r, i);
		if (sizes[i].r < 0)
			continue;
		CHECK(size == sizes[i].want, i);
		buf_reset(&out);
		number_format_size(&out, size);
		CHECK_INT(number_parse_size(buf_slice(&out), &again), 0, i);
		CHECK(again == size, i);
	}
	for (size_t i = 0; i < COUNT(levels); i++) {
		uint32_t level;

		CHECK_INT(number_parse_level(slice_of(levels[i].in), &level),
		    levels[i].r, i);
		if (levels[i].r < 0)
			continue;
		buf_reset(&out);
		number_format_level(&out, level);
		CHECK_TEXT(buf_slice(&out), levels[i].in, i);
	}
	for (size_t i = 0; i < COUNT(ints); i++) {
		int64_t n = 7;

		CHECK_INT(number_parse_int(slice_of(ints[i].in), &n), ints[i].r,
		    i);
		CHECK_INT(n, ints[i].r < 0 ? 7 : ints[i].want, i);
	}
	buf_free(&out);
}
