/* SPDX-License-Identifier: ISC */
/* Texts of tables: what can be opened can be asked, and every key that a walk
 * gives is found with its text. The first byte says which type. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libglobal/map.h"
#include "libglobal/map_search.h"
#include "libglobal/match_cidr.h"
#include "libutil/arena.h"
#include "libutil/diag.h"
#include "test.h"

/* find_again - a key that was walked is there */
static int
find_again(void *arg, struct slice key, struct slice value)
{
	struct buf got = BUF_INIT;

	if (key.len <= MAP_KEY_MAX) {
		FUZZ_CHECK(map_get(arg, key, &got) == 0);
		FUZZ_CHECK(slice_equal(buf_slice(&got), value));
	}
	buf_free(&got);
	return 0;
}

/* ask - look up words of the text */
static void
ask(struct map *m, struct slice text)
{
	struct buf value = BUF_INIT;
	struct slice word;
	int r;

	for (int i = 0; i < 10 && slice_next_word(&text, " \n/", &word); i++) {
		buf_reset(&value);
		r = map_get(m, word, &value);
		FUZZ_CHECK(r == 0 || value.len == 0);
		FUZZ_CHECK(r == 0 || r == -ENOENT || r == -EOVERFLOW);
	}
	buf_free(&value);
}

/* split_addresses - a text as a table has it for an alias */
static void
split_addresses(struct slice text)
{
	struct arena a = ARENA_INIT;
	struct slice address;
	bool is_address;

	while (map_search_next(&text, &a, &address, &is_address) > 0)
		FUZZ_CHECK(address.len <= 4096);
	arena_free(&a);
}

/* read_network - what parses, prints, and parses back the same */
static void
read_network(struct slice text)
{
	char out[CIDR_TEXT_MAX];
	struct cidr c, again;
	const char *why;

	if (cidr_parse(text, &c, &why) < 0)
		return;
	FUZZ_CHECK(cidr_parse(slice_of(cidr_format(&c, out)), &again, &why) == 0);
	FUZZ_CHECK(again.bits == c.bits && ip_equal(&again.ip, &c.ip));
	FUZZ_CHECK(cidr_has(&c, &c.ip));
}

FUZZ(map_open)
{
	static const char *const types[] = { "texthash", "pcre", "cidr" };
	struct diag d = DIAG_INIT;
	struct map *m = NULL;
	char spec[64];
	int fd;

	if (input.len == 0)
		return;
	split_addresses(slice_from(input, 1));
	read_network(slice_from(input, 1));
	(void)map_open(slice_from(input, 1), 0, NULL, &m);
	map_close(&m);
	fd = memfd_create("map", MFD_CLOEXEC);
	FUZZ_CHECK(write(fd, input.data + 1, input.len - 1) ==
	    (ssize_t)input.len - 1);
	snprintf(spec, sizeof(spec), "%s:/proc/self/fd/%d",
	    types[(unsigned char)input.data[0] % COUNT(types)], fd);
	if (map_open(slice_of(spec), 0, &d, &m) == 0) {
		ask(m, slice_from(input, 1));
		if (!map_is_pattern(m))
			FUZZ_CHECK(map_each(m, find_again, m) == 0);
	} else {
		FUZZ_CHECK(d.text[0] != '\0');
	}
	map_close(&m);
	close(fd);
}
