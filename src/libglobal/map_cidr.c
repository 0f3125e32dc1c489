/* SPDX-License-Identifier: ISC */
/* cidr: networks. A key that is no IP address is in no such table. */
#include <stdlib.h>

#include "libglobal/map.h"
#include "libglobal/map_impl.h"
#include "libglobal/map_rules.h"
#include "libglobal/match_cidr.h"
#include "libutil/alloc.h"
#include "libutil/cursor.h"

/* is_not_blank - part of a word */
static bool
is_not_blank(char c)
{
	return !ascii_is_blank(c);
}

/* cidr_compile - make a matcher */
static int
cidr_compile(struct slice *rest, uint32_t line, struct diag *d,
    void **ret_matcher, size_t *ret_groups)
{
	struct cursor c = cursor_over(*rest);
	struct slice word = cursor_take_while(&c, is_not_blank);
	struct cidr *cidr = NEW(struct cidr);
	const char *why;

	if (cidr_parse(word, cidr, &why) < 0) {
		free(cidr);
		return diag_set(d, line, 0, "\"%.*s\": %s", SLICE_ARG(word),
		    why);
	}
	*rest = cursor_rest(&c);
	*ret_matcher = cidr;
	*ret_groups = 0;
	return 0;
}

/* cidr_prepare - the key as an address */
static int
cidr_prepare(struct slice *key, union map_key_room *room)
{
	if (ip_parse(*key, &room->ip) < 0)
		return -ENOENT;
	*key = slice_over(&room->ip, sizeof(room->ip));
	return 0;
}

/* cidr_match - is the address in the network? */
static int
cidr_match(const void *matcher, struct slice key, struct map_groups *groups)
{
	struct ip ip;

	(void)groups;
	memcpy(&ip, key.data, sizeof(ip));	/* as cidr_prepare left it */
	return cidr_has(matcher, &ip);
}

/* map_open_cidr - cidr:/file */
int
map_open_cidr(struct map_table *t, const struct map_args *args, struct diag *d)
{
	static const struct map_rules_type type = {
		cidr_compile, cidr_match, free, cidr_prepare, false
	};

	return map_rules_open(t, args, &type, d);
}
