/* SPDX-License-Identifier: ISC */
/*
 * With SSE 4.2 one instruction takes eight bytes in three cycles. Without it,
 * eight tables let eight bytes be looked up at once instead of one after the
 * other. The tables are computed before main and never change after.
 */
#include "libutil/crc32c.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

#define POLYNOMIAL	0x82f63b78u	/* bits reversed */

static uint32_t	table[8][256];

/* fill_tables - table[k][b]: the checksum of byte b and k zero bytes */
__attribute__((constructor)) static void
fill_tables(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c >> 1 ^ ((c & 1) != 0 ? POLYNOMIAL : 0);
		table[0][i] = c;
	}
	for (size_t k = 1; k < 8; k++)
		for (size_t i = 0; i < 256; i++)
			table[k][i] = table[k - 1][i] >> 8 ^
			    table[0][table[k - 1][i] & 0xff];
}

/* load_le32 - four bytes, lowest first */
static inline uint32_t
load_le32(const char *p)
{
	uint32_t	word;

	memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap32(word);
#endif
	return word;
}

/* crc32c_add_portable - eight bytes a step by table */
uint32_t
crc32c_add_portable(uint32_t crc, struct slice bytes)
{
	size_t	i = 0;

	crc = ~crc;
	for (; bytes.len - i >= 8; i += 8) {
		uint32_t a = crc ^ load_le32(&bytes.data[i]);
		uint32_t b = load_le32(&bytes.data[i + 4]);

		crc = table[7][a & 0xff] ^ table[6][a >> 8 & 0xff] ^
		    table[5][a >> 16 & 0xff] ^ table[4][a >> 24] ^
		    table[3][b & 0xff] ^ table[2][b >> 8 & 0xff] ^
		    table[1][b >> 16 & 0xff] ^ table[0][b >> 24];
	}
	for (; i < bytes.len; i++)
		crc = crc >> 8 ^
		    table[0][(crc ^ (unsigned char)bytes.data[i]) & 0xff];
	return ~crc;
}

#if defined(__x86_64__)
/* add_sse42 - eight bytes a step by the processor's instruction */
__attribute__((target("sse4.2"))) static uint32_t
add_sse42(uint32_t crc, struct slice bytes)
{
	uint64_t	c = ~crc & 0xffffffffu, word;
	size_t		i = 0;

	for (; bytes.len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, &bytes.data[i], sizeof(word));
		c = _mm_crc32_u64(c, word);
	}
	for (; i < bytes.len; i++)
		c = _mm_crc32_u8((uint32_t)c, (unsigned char)bytes.data[i]);
	return ~(uint32_t)c;
}
#endif

/* crc32c_add - continue a checksum */
uint32_t
crc32c_add(uint32_t crc, struct slice bytes)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return add_sse42(crc, bytes);
#endif
	return crc32c_add_portable(crc, bytes);
}

/* crc32c - the checksum of the bytes */
uint32_t
crc32c(struct slice bytes)
{
	return crc32c_add(0, bytes);
}
