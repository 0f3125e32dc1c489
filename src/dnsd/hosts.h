/* SPDX-License-Identifier: ISC */
/*
 * hosts: what hosts(5) says, by name and by address. Names are in lower case,
 * without a dot at the end. No I/O.
 */
#ifndef DNSD_HOSTS_H
#define DNSD_HOSTS_H

#include "libutil/arena.h"
#include "libutil/hash.h"

#define HOSTS_ADDRESSES_MAX	32	/* of one name */
#define HOSTS_NAMES_MAX		100000

struct hosts_name {
	unsigned char	v4[HOSTS_ADDRESSES_MAX][4];
	unsigned char	v6[HOSTS_ADDRESSES_MAX][16];
	size_t		v4_count;
	size_t		v6_count;
};

struct hosts {
	struct arena	arena;
	struct hash	by_name;	/* struct hosts_name */
	struct hash	by_reverse;	/* the first name, by PTR name */
};

#define HOSTS_INIT	{ ARENA_INIT, HASH_INIT, HASH_INIT }

/* read a text; calls back with the number of each line that is none */
void	hosts_read(struct hosts *h, struct slice text,
	    void (*bad)(void *arg, uint32_t line), void *arg);
/* NULL: it is not there */
const struct hosts_name	*hosts_find(const struct hosts *h, struct slice name);
/* the name of "1.2.0.192.in-addr.arpa"; empty: it is not there */
struct slice	hosts_find_reverse(const struct hosts *h, struct slice name);
void	hosts_free(struct hosts *h);

#endif
