/* SPDX-License-Identifier: ISC */
#include "dnsd/names.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "libglobal/dns.h"
#include "libutil/arena.h"
#include "libutil/cursor.h"

#define NAME_LONGEST	253	/* in text, RFC 1035 2.3.4 */
#define LABEL_LONGEST	63
#define LABELS_MAX	128

/* is_name_byte - bytes of names that we ask for and believe: what hosts may
 * have (RFC 1123 2.1), and _ and / that stand in names of other records */
static bool
is_name_byte(char c)
{
	return ascii_is_alnum(c) || c == '-' || c == '_' || c == '/';
}

/* name_take - check, fold, cut the dot */
int
name_take(struct slice in, struct arena *a, struct slice *ret_name)
{
	char	*text;
	size_t	 label = 0;

	if (in.len > 0 && in.data[in.len - 1] == '.')
		in.len--;
	if (in.len == 0 || in.len > NAME_LONGEST)
		return -EBADMSG;
	text = arena_text(a, in);
	for (size_t i = 0; i < in.len; i++) {
		if (text[i] == '.') {
			if (label == 0)
				return -EBADMSG;
			label = 0;
			continue;
		}
		if (!is_name_byte(text[i]) || ++label > LABEL_LONGEST)
			return -EBADMSG;
		text[i] = ascii_lower(text[i]);
	}
	if (label == 0)
		return -EBADMSG;
	*ret_name = slice_over(text, in.len);
	return 0;
}

/* name_is_within - the name itself, or one below */
bool
name_is_within(struct slice name, const char *parent)
{
	struct slice p = slice_of(parent);

	return slice_has_suffix(name, p) && (name.len == p.len ||
	    name.data[name.len - p.len - 1] == '.');
}

/* name_is_numeric - "192.0.2.1" is no name */
bool
name_is_numeric(struct slice name)
{
	size_t		dot = slice_find_last(name, '.');
	struct slice	last = slice_from(name,
			    dot == SLICE_NONE ? 0 : dot + 1);

	for (size_t i = 0; i < last.len; i++)
		if (!ascii_is_digit(last.data[i]))
			return false;
	return true;
}

/* wire_name - labels up to the empty one, which ends the data */
static int
wire_name(struct cursor *c, struct arena *a, struct slice *ret_name)
{
	char	text[NAME_LONGEST + 1];
	size_t	len = 0;
	int	n = 0, labels = 0;

	while (labels++ < LABELS_MAX && (n = cursor_byte(c)) > 0) {
		struct slice label;

		if (n > LABEL_LONGEST ||
		    cursor_bytes(c, (size_t)n, &label) < 0 ||
		    len + label.len + 1 > NAME_LONGEST)
			return -EBADMSG;
		if (len > 0)
			text[len++] = '.';
		for (size_t i = 0; i < label.len; i++) {
			if (!is_name_byte(label.data[i]))
				return -EBADMSG;
			text[len++] = ascii_lower(label.data[i]);
		}
	}
	if (n != 0 || !cursor_at_end(c))
		return -EBADMSG;
	*ret_name = arena_dup(a, slice_over(text, len));
	return 0;
}

/* record_take - one record */
int
record_take(int type, struct slice rdata, struct arena *a,
    struct msg_dns_record *ret_record)
{
	struct msg_dns_record	r = { .preference = 0 };
	struct cursor		c = cursor_over(rdata);
	int			high, low, e;

	switch (type) {
	case DNS_MX:
		high = cursor_byte(&c);
		low = cursor_byte(&c);
		if (low < 0)
			return -EBADMSG;
		r.preference = (uint32_t)(high << 8 | low);
		/* fall through */
	case DNS_PTR:
	case DNS_CNAME:
		if ((e = wire_name(&c, a, &r.name)) < 0)
			return e;
		break;
	case DNS_A:
		if (rdata.len != 4)
			return -EBADMSG;
		r.data = rdata;
		break;
	case DNS_AAAA:
		if (rdata.len != 16)
			return -EBADMSG;
		r.data = rdata;
		break;
	default:
		r.data = rdata;
		break;
	}
	*ret_record = r;
	return 0;
}

/* records_sort - few records: by insertion */
void
records_sort(struct msg_dns_record *records, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct msg_dns_record	r = records[i];
		size_t			at = i;

		for (; at > 0 && records[at - 1].preference > r.preference;
		    at--)
			records[at] = records[at - 1];
		records[at] = r;
	}
}

/* --- servers */

/* split_port - "192.0.2.1:53", "[::1]:53", "::1", "[::1]" */
static void
split_port(struct slice text, struct slice *ret_address,
    struct slice *ret_port)
{
	size_t	close = slice_find(text, ']'), colon = slice_find(text, ':');

	*ret_address = text;
	*ret_port = S("53");
	if (text.len > 0 && text.data[0] == '[' && close != SLICE_NONE) {
		*ret_address = slice_sub(text, 1, close - 1);
		if (close + 1 < text.len)
			*ret_port = slice_from(text, close + 2);
		if (close + 1 < text.len && text.data[close + 1] != ':')
			*ret_port = SLICE_EMPTY;
	} else if (colon != SLICE_NONE && colon == slice_find_last(text, ':')) {
		*ret_address = slice_sub(text, 0, colon);
		*ret_port = slice_from(text, colon + 1);
	}
}

/* servers_add - one more */
int
servers_add(struct dns_servers *s, struct slice text)
{
	struct slice	address, port;
	unsigned char	bytes[16];
	char		name[50];
	uint32_t	number;

	split_port(text, &address, &port);
	if (slice_equal_nocase(address, S("localhost")))
		address = S("127.0.0.1");
	if (address.len >= sizeof(name) || slice_to_u32(port, 65535,
	    &number) < 0 || number == 0)
		return -EBADMSG;
	(void)snprintf(name, sizeof(name), "%.*s", SLICE_ARG(address));
	if (inet_pton(AF_INET, name, bytes) != 1 &&
	    inet_pton(AF_INET6, name, bytes) != 1)
		return -EBADMSG;
	if (s->count == DNS_SERVERS_MAX)
		return 0;
	(void)snprintf(s->v[s->count++].text, sizeof(s->v[0].text), "%s@%u",
	    name, (unsigned)number);
	return 0;
}

/* servers_read - "nameserver 192.0.2.1" */
void
servers_read(struct dns_servers *s, struct slice text)
{
	struct slice line, word, address;

	while (text.len > 0) {
		line = slice_split(&text, '\n');
		if (slice_next_word(&line, " \t\r", &word) &&
		    slice_equal(word, S("nameserver")) &&
		    slice_next_word(&line, " \t\r", &address))
			/* with a zone ("fe80::1%eth0") it is passed over */
			ignore(servers_add(s, address));
	}
}
