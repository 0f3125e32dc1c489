/* SPDX-License-Identifier: ISC */
#include "libglobal/mynetworks.h"

#include "libutil/buf.h"

/* class_bits - the length of an IPv4 address's class network */
static unsigned
class_bits(const struct ip *ip)
{
	return ip->byte[0] < 128 ? 8 : ip->byte[0] < 192 ? 16 :
	    ip->byte[0] < 224 ? 24 : 4;
}

/* network_of - the network that the style makes of an interface */
static struct cidr
network_of(enum mynetworks_style style, const struct mynetworks_interface *i)
{
	struct cidr c = { i->ip, i->ip.is_v6 ? 128 : 32 };

	if (style != MYNETWORKS_HOST && i->bits < c.bits)
		c.bits = i->bits;
	if (style == MYNETWORKS_CLASS && !i->ip.is_v6)
		c.bits = class_bits(&i->ip);
	for (unsigned k = 0; k < 16; k++)
		if (c.bits <= 8 * k)
			c.ip.byte[k] = 0;
		else if (c.bits < 8 * (k + 1))
			c.ip.byte[k] &= (unsigned char)(0xff << (8 * (k + 1) -
			    c.bits));
	return c;
}

/* mynetworks_format - the list for a style */
void
mynetworks_format(struct buf *out, enum mynetworks_style style,
    const struct mynetworks_interface *interface, size_t count)
{
	char text[CIDR_TEXT_MAX];
	size_t start = out->len;

	for (size_t i = 0; i < count; i++) {
		struct cidr c = network_of(style, &interface[i]);
		bool known = false;

		for (size_t k = 0; k < i && !known; k++) {
			struct cidr earlier = network_of(style, &interface[k]);

			known = earlier.bits == c.bits &&
			    ip_equal(&earlier.ip, &c.ip);
		}
		if (!known)
			buf_addf(out, "%s%s", out->len > start ? " " : "",
			    cidr_format(&c, text));
	}
}
