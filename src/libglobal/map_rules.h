/* SPDX-License-Identifier: ISC */
/*
 * map_rules: tables of rules that are tried in the order written: what pcre,
 * regexp and cidr have in common. A line is
 *	[!]pattern text		if [!]pattern		endif
 * and what a pattern is, its type says. Included by map*.c only.
 *
 * A rule that is wrong makes the whole table unusable: to skip one rule
 * could turn the meaning of those behind it around.
 */
#ifndef LIBGLOBAL_MAP_RULES_H
#define LIBGLOBAL_MAP_RULES_H

#include "libglobal/match_cidr.h"
#include "libutil/slice.h"

struct diag;
struct map_args;
struct map_table;

#define MAP_RULES_MAX		1000000
#define MAP_RULES_DEPTH_MAX	100	/* of if in if */
#define MAP_GROUPS_MAX		50	/* ( ) groups that a text may name */

/* what the groups of a pattern matched; [0] is the whole */
struct map_groups {
	size_t		count;
	struct slice	group[MAP_GROUPS_MAX];
};

/* room for a key in another form */
union map_key_room {
	struct ip	ip;
};

/* what a type adds */
struct map_rules_type {
	/* Make a matcher from the pattern that *rest begins with, and leave
	 * in *rest what is behind it. Failure: a sentence by diag_set. */
	int	(*compile)(struct slice *rest, uint32_t line, struct diag *d,
		    void **ret_matcher, size_t *ret_groups);
	/* 1 when the key matches, 0 when not, an error when it cannot be
	 * said. groups is NULL when nobody needs them. */
	int	(*match)(const void *matcher, struct slice key,
		    struct map_groups *groups);
	void	(*free)(void *matcher);
	/* NULL, or puts the key into the form that match wants, once for all
	 * rules; -ENOENT when no rule can match such a key */
	int	(*prepare)(struct slice *key, union map_key_room *room);
	bool	has_groups;
};

/* read the file that args name into t */
MUST_USE int	map_rules_open(struct map_table *t, const struct map_args *args,
		    const struct map_rules_type *type, struct diag *d);

/* Cut "/pattern/flags" off *rest: any byte that is no letter, digit or blank
 * may stand for the /, and a backslash keeps it in the pattern. */
MUST_USE int	map_rules_cut(struct slice *rest, uint32_t line, struct diag *d,
		    struct slice *ret_pattern, struct slice *ret_flags);

#endif
