/* SPDX-License-Identifier: ISC */
/* regexp: POSIX extended regular expressions, by the C library. */
#include <regex.h>
#include <stdlib.h>

#include "libglobal/map.h"
#include "libglobal/map_impl.h"
#include "libglobal/map_rules.h"
#include "libutil/alloc.h"

/* parse_flags - the options of a pattern; a letter turns one around */
static int
parse_flags(struct slice flags, uint32_t line, struct diag *d, int *ret_options)
{
	int options = REG_EXTENDED | REG_ICASE;

	for (size_t i = 0; i < flags.len; i++)
		switch (flags.data[i]) {
		case 'i':
			options ^= REG_ICASE;
			break;
		case 'm':
			options ^= REG_NEWLINE;
			break;
		case 'x':
			options ^= REG_EXTENDED;
			break;
		default:
			return diag_set(d, line, 0, "there is no flag \"%c\" "
			    "for a pattern", flags.data[i]);
		}
	*ret_options = options;
	return 0;
}

/* regexp_compile - make a matcher */
static int
regexp_compile(struct slice *rest, uint32_t line, struct diag *d,
    void **ret_matcher, size_t *ret_groups)
{
	struct slice pattern, flags;
	regex_t *regex;
	char why[128], *text;
	int options = 0, error, r;

	if ((r = map_rules_cut(rest, line, d, &pattern, &flags)) < 0 ||
	    (r = parse_flags(flags, line, d, &options)) < 0)
		return r;
	regex = NEW(regex_t);
	text = slice_dup(pattern);
	error = regcomp(regex, text, options);
	free(text);
	if (error != 0) {
		(void)regerror(error, regex, why, sizeof(why));
		free(regex);
		return diag_set(d, line, 0, "the pattern is wrong: %s", why);
	}
	*ret_matcher = regex;
	*ret_groups = regex->re_nsub;
	return 0;
}

/* regexp_match - does it match? */
static int
regexp_match(const void *matcher, struct slice key, struct map_groups *groups)
{
	regmatch_t at[MAP_GROUPS_MAX];
	const char *text = key.len == 0 ? "" : key.data;
	int error;

	/* REG_STARTEND: the key has a length and no NUL */
	at[0].rm_so = 0;
	at[0].rm_eo = (regoff_t)key.len;
	error = regexec(matcher, text, groups == NULL ? 1 : COUNT(at), at,
	    REG_STARTEND);
	if (error == REG_NOMATCH)
		return 0;
	if (error != 0)
		return -ENOMEM;
	for (size_t i = 0; groups != NULL && i < COUNT(at); i++) {
		groups->group[i] = at[i].rm_so < 0 ? SLICE_EMPTY :
		    slice_sub(key, (size_t)at[i].rm_so,
		    (size_t)(at[i].rm_eo - at[i].rm_so));
		groups->count = i + 1;
	}
	return 1;
}

/* regexp_free - release a matcher */
static void
regexp_free(void *matcher)
{
	regfree(matcher);
	free(matcher);
}

/* map_open_regexp - regexp:/file */
int
map_open_regexp(struct map_table *t, const struct map_args *args,
    struct diag *d)
{
	static const struct map_rules_type type = {
		regexp_compile, regexp_match, regexp_free, NULL, true
	};

	return map_rules_open(t, args, &type, d);
}
