/* SPDX-License-Identifier: ISC */
#include "libtask/peer.h"

#include <arpa/inet.h>

#include "test.h"

TEST(peer_address)
{
	static const struct {
		int		family;
		const char	*address;
		const char	*text;
		bool		loopback;
	} rows[] = {
		{ AF_INET, "192.0.2.7", "192.0.2.7", false },
		{ AF_INET, "127.0.0.1", "127.0.0.1", true },
		{ AF_INET, "127.3.2.1", "127.3.2.1", true },
		{ AF_INET6, "2001:db8::7", "2001:db8::7", false },
		{ AF_INET6, "::1", "::1", true },
		{ AF_INET6, "::ffff:192.0.2.7", "192.0.2.7", false },
		{ AF_INET6, "::ffff:127.0.0.1", "127.0.0.1", true },
		{ AF_UNIX, NULL, "127.0.0.1", true },
		{ AF_UNSPEC, NULL, "unknown", false },
	};
	char	text[PEER_ADDRESS_SIZE];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sockaddr_storage s = { 0 };

		s.ss_family = (sa_family_t)rows[i].family;
		if (rows[i].family == AF_INET)
			(void)inet_pton(AF_INET, rows[i].address,
			    &((struct sockaddr_in *)&s)->sin_addr);
		else if (rows[i].family == AF_INET6)
			(void)inet_pton(AF_INET6, rows[i].address,
			    &((struct sockaddr_in6 *)&s)->sin6_addr);
		peer_address(&s, text, sizeof(text));
		CHECK_TEXT(slice_of(text), rows[i].text, i);
		CHECK(peer_is_loopback(text) == rows[i].loopback, i);
	}
}
