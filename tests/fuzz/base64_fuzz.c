/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libutil/base64.h"
#include "libutil/hex.h"

FUZZ(base64)			/* one text for each bytes, and back */
{
	struct buf	text = BUF_INIT;

	if (base64_decode(scratch, input) == 0) {
		base64_encode(&text, buf_slice(scratch));
		FUZZ_CHECK(slice_equal(buf_slice(&text), input));
	}
	buf_reset(scratch);
	buf_reset(&text);
	if (base64url_decode(scratch, input) == 0) {
		base64url_encode(&text, buf_slice(scratch));
		FUZZ_CHECK(slice_equal(buf_slice(&text), input));
	}
	buf_reset(scratch);
	buf_reset(&text);
	if (hex_decode(scratch, input) == 0) {
		hex_encode(&text, buf_slice(scratch));
		FUZZ_CHECK(slice_equal_nocase(buf_slice(&text), input));
	}
	buf_reset(scratch);
	buf_reset(&text);
	base64_encode(&text, input);
	FUZZ_CHECK(base64_decode(scratch, buf_slice(&text)) == 0);
	FUZZ_CHECK(slice_equal(buf_slice(scratch), input));
	buf_free(&text);
}
