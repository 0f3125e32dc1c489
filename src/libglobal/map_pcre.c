/* SPDX-License-Identifier: ISC */
/*
 * The module of pcre: Perl-compatible regular expressions. Patterns are compiled with JIT
 * where there is one. Backtracking is limited: a pattern that takes too many
 * steps for a string cannot answer, which is a temporary error.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "libglobal/map.h"
#include "libglobal/map_impl.h"
#include "libglobal/map_module.h"
#include "libglobal/map_rules.h"

#define PCRE_MATCH_LIMIT	1000000		/* steps */
#define PCRE_DEPTH_LIMIT	20000		/* nested steps */
#define PCRE_HEAP_LIMIT		(20 << 10)	/* KiB */

/* the letters behind a pattern; each turns an option around */
static const struct {
	char		letter;
	uint32_t	option;
} pcre_flags[] = {
	{ 'i', PCRE2_CASELESS },
	{ 'm', PCRE2_MULTILINE },
	{ 's', PCRE2_DOTALL },
	{ 'x', PCRE2_EXTENDED },
	{ 'A', PCRE2_ANCHORED },
	{ 'E', PCRE2_DOLLAR_ENDONLY },
	{ 'U', PCRE2_UNGREEDY },
	{ 'X', 0 },	/* PCRE2 always refuses unknown escapes */
};

/* parse_flags - the options of a pattern */
static int
parse_flags(struct slice flags, uint32_t line, struct diag *d,
    uint32_t *ret_options)
{
	uint32_t options = PCRE2_CASELESS | PCRE2_DOTALL;
	size_t i, k;

	for (i = 0; i < flags.len; i++) {
		for (k = 0; k < COUNT(pcre_flags); k++)
			if (pcre_flags[k].letter == flags.data[i])
				break;
		if (k == COUNT(pcre_flags))
			return diag_set(d, line, 0, "there is no flag \"%c\" "
			    "for a pattern", flags.data[i]);
		options ^= pcre_flags[k].option;
	}
	*ret_options = options;
	return 0;
}

/* utf_options - a pattern with other than ASCII bytes is taken as UTF-8; then
 * strings may still hold what is not */
static uint32_t
utf_options(struct slice pattern)
{
	for (size_t i = 0; i < pattern.len; i++)
		if ((unsigned char)pattern.data[i] >= 0x80)
			return PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
	return 0;
}

/* pcre_compile - make a matcher */
static int
pcre_compile(struct slice *rest, uint32_t line, struct diag *d,
    void **ret_matcher, size_t *ret_groups)
{
	struct slice pattern, flags;
	PCRE2_UCHAR why[128];
	uint32_t options, groups = 0;
	PCRE2_SIZE offset;
	pcre2_code *code;
	int error, r;

	if ((r = map_rules_cut(rest, line, d, &pattern, &flags)) < 0 ||
	    (r = parse_flags(flags, line, d, &options)) < 0)
		return r;
	code = pcre2_compile((PCRE2_SPTR)pattern.data, pattern.len,
	    options | utf_options(pattern), &error, &offset, NULL);
	if (code == NULL) {
		(void)pcre2_get_error_message(error, why, sizeof(why));
		return diag_set(d, line, 0, "the pattern is wrong at its "
		    "byte %zu: %s", offset + 1, (const char *)why);
	}
	/* without JIT the interpreter does the same, slower */
	(void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	(void)pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
	*ret_matcher = code;
	*ret_groups = groups;
	return 0;
}

/* take_groups - what the groups matched */
static void
take_groups(pcre2_match_data *data, int count, struct slice key,
    struct map_groups *groups)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(data);

	groups->count = size_min((size_t)count, MAP_GROUPS_MAX);
	for (size_t i = 0; i < groups->count; i++) {
		PCRE2_SIZE from = at[2 * i], to = at[2 * i + 1];

		/* \K can put the start behind the end */
		groups->group[i] = from == PCRE2_UNSET || from > to ?
		    SLICE_EMPTY : slice_sub(key, from, to - from);
	}
}

/* pcre_match - does it match? */
static int
pcre_match(const void *matcher, struct slice key, struct map_groups *groups)
{
	const pcre2_code *code = matcher;
	pcre2_match_data *data =
	    pcre2_match_data_create_from_pattern(code, NULL);
	pcre2_match_context *limits = pcre2_match_context_create(NULL);
	const char *text = key.len == 0 ? "" : key.data;
	int n, r = -ENOMEM;

	if (data == NULL || limits == NULL)
		goto out;
	(void)pcre2_set_match_limit(limits, PCRE_MATCH_LIMIT);
	(void)pcre2_set_depth_limit(limits, PCRE_DEPTH_LIMIT);
	(void)pcre2_set_heap_limit(limits, PCRE_HEAP_LIMIT);
	n = pcre2_match(code, (PCRE2_SPTR)text, key.len, 0, 0, data, limits);
	if (n > 0 && groups != NULL)
		take_groups(data, n, key, groups);
	r = n > 0 ? 1 : n == PCRE2_ERROR_NOMATCH ? 0 : -EOVERFLOW;
out:
	pcre2_match_data_free(data);
	pcre2_match_context_free(limits);
	return r;
}

/* pcre_free - release a matcher */
static void
pcre_free(void *matcher)
{
	pcre2_code_free(matcher);
}

/* rules_open - pcre:/file */
static int
rules_open(struct map_table *t, const struct map_args *args, struct diag *d)
{
	static const struct map_rules_type type = {
		pcre_compile, pcre_match, pcre_free, NULL, true
	};

	return map_rules_open(t, args, &type, d);
}

MAP_MODULE_EXPORT = { MAP_MODULE_VERSION, rules_open, NULL };
