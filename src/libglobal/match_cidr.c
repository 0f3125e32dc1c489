/* SPDX-License-Identifier: ISC */
#include "libglobal/match_cidr.h"

#include <arpa/inet.h>
#include <stdio.h>

#define IP_TEXT_MAX	46

/* unbracket - what is between [ and ] */
static struct slice
unbracket(struct slice s)
{
	if (s.len >= 2 && s.data[0] == '[' && s.data[s.len - 1] == ']')
		return slice_sub(s, 1, s.len - 2);
	return s;
}

/* parse_text - an address of either family, not mapped */
static int
parse_text(struct slice s, struct ip *ret_ip)
{
	char text[IP_TEXT_MAX];
	struct ip ip = { false, { 0 } };

	if (s.len == 0 || s.len >= sizeof(text) ||
	    slice_find(s, '\0') != SLICE_NONE)
		return -EBADMSG;
	memcpy(text, s.data, s.len);
	text[s.len] = '\0';
	ip.is_v6 = slice_find(s, ':') != SLICE_NONE;
	if (inet_pton(ip.is_v6 ? AF_INET6 : AF_INET, text, ip.byte) != 1)
		return -EBADMSG;
	*ret_ip = ip;
	return 0;
}

/* ip_parse - an address */
int
ip_parse(struct slice s, struct ip *ret_ip)
{
	static const unsigned char mapped[12] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
	};
	struct ip ip, v4 = { false, { 0 } };

	if (parse_text(unbracket(s), &ip) < 0)
		return -EBADMSG;
	if (ip.is_v6 && memcmp(ip.byte, mapped, sizeof(mapped)) == 0) {
		memcpy(v4.byte, ip.byte + sizeof(mapped), 4);
		ip = v4;
	}
	*ret_ip = ip;
	return 0;
}

/* ip_equal - the same address? */
bool
ip_equal(const struct ip *a, const struct ip *b)
{
	return a->is_v6 == b->is_v6 && memcmp(a->byte, b->byte, 16) == 0;
}

/* mask_byte - the bits of byte i that belong to the network */
static unsigned
mask_byte(unsigned bits, unsigned i)
{
	if (bits >= 8 * (i + 1))
		return 0xff;
	return bits <= 8 * i ? 0 : (0xffu << (8 * (i + 1) - bits)) & 0xff;
}

/* cidr_parse - a network */
int
cidr_parse(struct slice s, struct cidr *ret_cidr, const char **ret_why)
{
	struct slice bits = unbracket(slice_trim(s)), addr;
	struct cidr c = { .bits = 0 };
	bool has_bits = slice_find(bits, '/') != SLICE_NONE;
	uint32_t n;

	addr = unbracket(slice_split(&bits, '/'));
	*ret_why = "expected network/bits or an address";
	if (parse_text(addr, &c.ip) < 0)
		return -EBADMSG;
	c.bits = c.ip.is_v6 ? 128 : 32;
	if (has_bits) {
		if (slice_to_u32(bits, c.bits, &n) < 0) {
			*ret_why = c.ip.is_v6 ?
			    "expected 0 to 128 behind the /" :
			    "expected 0 to 32 behind the /";
			return -EBADMSG;
		}
		c.bits = n;
	}
	for (unsigned i = 0; i < (c.ip.is_v6 ? 16 : 4); i++)
		if ((c.ip.byte[i] & ~mask_byte(c.bits, i)) != 0) {
			*ret_why = "the address has bits set behind the "
			    "length of the network";
			return -EBADMSG;
		}
	*ret_cidr = c;
	return 0;
}

/* cidr_has - is the address in the network? */
bool
cidr_has(const struct cidr *c, const struct ip *ip)
{
	unsigned whole = c->bits / 8, mask = mask_byte(c->bits, c->bits / 8);

	if (c->ip.is_v6 != ip->is_v6 ||
	    memcmp(c->ip.byte, ip->byte, whole) != 0)
		return false;
	return whole == 16 ||
	    ((ip->byte[whole] ^ c->ip.byte[whole]) & mask) == 0;
}

/* cidr_format - a network as text */
const char *
cidr_format(const struct cidr *c, char text[CIDR_TEXT_MAX])
{
	char addr[IP_TEXT_MAX];

	(void)inet_ntop(c->ip.is_v6 ? AF_INET6 : AF_INET, c->ip.byte, addr,
	    sizeof(addr));
	(void)snprintf(text, CIDR_TEXT_MAX, c->ip.is_v6 ? "[%s]/%u" : "%s/%u",
	    addr, c->bits);
	return text;
}
