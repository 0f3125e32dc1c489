/* SPDX-License-Identifier: ISC */
/* whatever signd is asked to sign: only texts of the two shapes pass */
#include "libtask/tls_key.h"

#include "test.h"

FUZZ(tls_tbs)
{
	enum tls_tbs kind = tls_tbs_kind(input);

	if (kind == TLS_TBS_VERIFY_13) {
		FUZZ_CHECK(input.len == 98 + 32 || input.len == 98 + 48);
		FUZZ_CHECK(slice_has_prefix(slice_from(input, 64),
		    S("TLS 1.3, server CertificateVerify")));
	} else if (kind == TLS_TBS_EXCHANGE_12) {
		FUZZ_CHECK(input.len > 68 && input.len <= 68 + 133);
		FUZZ_CHECK(input.data[64] == 3);
		FUZZ_CHECK((unsigned char)input.data[67] == input.len - 68);
	}
	FUZZ_CHECK(kind == TLS_TBS_NONE || input.len <= TLS_TBS_MAX);
}
