/* SPDX-License-Identifier: ISC */
/* Lines of an address and names; "#" begins a comment. */
#include "dnsd/hosts.h"

#include <arpa/inet.h>

#include "libglobal/dns.h"

#define HOST_LONGEST	255

/* lower - a name as it is kept; empty if it is none */
static struct slice
lower(struct arena *a, struct slice name)
{
	char *text;

	while (name.len > 0 && name.data[name.len - 1] == '.')
		name.len--;
	if (name.len == 0 || name.len > HOST_LONGEST)
		return SLICE_EMPTY;
	text = arena_text(a, name);
	for (size_t i = 0; i < name.len; i++)
		text[i] = ascii_lower(text[i]);
	return slice_over(text, name.len);
}

/* name_get - the entry of a name, made if need be */
static struct hosts_name *
name_get(struct hosts *h, struct slice name)
{
	struct hosts_name *n = hash_get(&h->by_name, name);

	if (n == NULL && h->by_name.count < HOSTS_NAMES_MAX) {
		n = ARENA_NEW(&h->arena, struct hosts_name);
		(void)hash_put(&h->by_name, name, n);	/* was not */
	}
	return n;
}

/* add - one address of one name */
static void
add(struct hosts *h, const char *address, struct slice name)
{
	struct hosts_name	*n;
	unsigned char		 bytes[16];
	bool			 v4 = inet_pton(AF_INET, address, bytes) == 1;

	name = lower(&h->arena, name);
	if (name.len == 0 || (n = name_get(h, name)) == NULL)
		return;
	if (v4) {
		if (n->v4_count < HOSTS_ADDRESSES_MAX)
			memcpy(n->v4[n->v4_count++], bytes, 4);
	} else if (inet_pton(AF_INET6, address, bytes) == 1) {
		if (n->v6_count < HOSTS_ADDRESSES_MAX)
			memcpy(n->v6[n->v6_count++], bytes, 16);
	}
}

/* add_reverse - the first name of an address; the first line of it counts */
static void
add_reverse(struct hosts *h, const char *address, struct slice name)
{
	char		 reverse[80];
	char		*kept;

	name = lower(&h->arena, name);
	if (name.len == 0 ||
	    dns_reverse_name(address, reverse, sizeof(reverse)) < 0 ||
	    hash_get(&h->by_reverse, slice_of(reverse)) != NULL ||
	    h->by_reverse.count >= HOSTS_NAMES_MAX)
		return;
	kept = arena_text(&h->arena, name);
	(void)hash_put(&h->by_reverse, slice_of(reverse), kept);
}

/* read_line - false if it is no line of a hosts file */
static bool
read_line(struct hosts *h, struct slice line)
{
	struct slice	word, comment = line;
	unsigned char	bytes[16];
	char		address[64];
	bool		first = true;

	line = slice_split(&comment, '#');
	if (!slice_next_word(&line, " \t\r", &word))
		return true;
	if (word.len >= sizeof(address))
		return false;
	memcpy(address, word.data, word.len);
	address[word.len] = '\0';
	if (inet_pton(AF_INET, address, bytes) != 1 &&
	    inet_pton(AF_INET6, address, bytes) != 1)
		return false;
	for (; slice_next_word(&line, " \t\r", &word); first = false) {
		add(h, address, word);
		if (first)
			add_reverse(h, address, word);
	}
	return true;
}

/* hosts_read - all lines of a text */
void
hosts_read(struct hosts *h, struct slice text,
    void (*bad)(void *arg, uint32_t line), void *arg)
{
	for (uint32_t n = 1; text.len > 0; n++)
		if (!read_line(h, slice_split(&text, '\n')))
			bad(arg, n);
}

/* hosts_find - by name */
const struct hosts_name *
hosts_find(const struct hosts *h, struct slice name)
{
	return hash_get(&h->by_name, name);
}

/* hosts_find_reverse - by the name a PTR record would have */
struct slice
hosts_find_reverse(const struct hosts *h, struct slice name)
{
	return slice_of(hash_get(&h->by_reverse, name));
}

/* hosts_free - forget all */
void
hosts_free(struct hosts *h)
{
	hash_free(&h->by_name);
	hash_free(&h->by_reverse);
	arena_free(&h->arena);
}
