/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libutil/arena.h"
#include "libutil/json.h"
#include "libutil/utf8.h"

FUZZ(json)			/* what parses, prints, and parses back the same */
{
	struct json_writer	 w = json_writer_into(scratch);
	struct arena		 a = ARENA_INIT;
	const struct json	*v, *again;

	if (json_parse(&a, input, &v, NULL) == 0) {
		FUZZ_CHECK(utf8_is_valid(input));
		json_value(&w, v);
		json_writer_end(&w);
		FUZZ_CHECK(json_parse(&a, buf_slice(scratch), &again, NULL) == 0);
		FUZZ_CHECK(json_equal(v, again));
	}
	arena_free(&a);
}
