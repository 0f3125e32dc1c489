/* SPDX-License-Identifier: ISC */
/* barid account, barid domain, barid alias. */
#include <getopt.h>

#include "libutil/buf.h"
#include "libutil/number.h"
#include "tools/change.h"
#include "tools/verbs.h"

struct options {
	const char	*hash;
	const char	*quota;
	bool		 from_stdin;
};

/* parse_options - those of account add and account password */
static int
parse_options(int argc, char **argv, struct options *ret_options)
{
	static const struct option longs[] = {
		{ "password-hash", required_argument, NULL, 'H' },
		{ "password-stdin", no_argument, NULL, 'P' },
		{ "quota", required_argument, NULL, 'q' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*ret_options = (struct options){ NULL, NULL, false };
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'H')
			ret_options->hash = optarg;
		else if (c == 'q')
			ret_options->quota = optarg;
		else if (c == 'P')
			ret_options->from_stdin = true;
		else
			return TOOL_USAGE;
	}
	return argc - optind == 1 ? TOOL_OK : TOOL_USAGE;
}

/* quota_value - BYTES[:MESSAGES] as the database wants it */
static int
quota_value(struct tool *tool, const char *text, const char **ret_value)
{
	struct slice	rest = slice_of(text);
	struct slice	first = slice_split(&rest, ':');
	uint64_t	bytes = 0, messages = 0;

	if (strcmp(text, "default") == 0) {
		*ret_value = text;
		return TOOL_OK;
	}
	if (strcmp(text, "none") != 0 &&
	    (number_parse_size(first, &bytes) < 0 || (rest.len > 0 &&
	    slice_to_u64(rest, UINT64_MAX, &messages) < 0)))
		return tool_fail(tool, "\"%s\" is no quota: give BYTES or "
		    "BYTES:MESSAGES, as 5g:100000, or none", text);
	*ret_value = arena_printf(&tool->arena, "%llu %llu",
	    (unsigned long long)bytes, (unsigned long long)messages).data;
	return TOOL_OK;
}

/* get_hash - of the password that was given one way or the other */
static int
get_hash(struct tool *tool, const struct options *o, const char **ret_hash)
{
	const char	*password;
	int		 r;

	if (o->hash != NULL) {
		*ret_hash = o->hash;
		return TOOL_OK;
	}
	r = tool_password_read(tool, "Password", &password);
	if (r != TOOL_OK)
		return r;
	*ret_hash = tool_password_hash(tool, password);
	return *ret_hash != NULL ? TOOL_OK :
	    tool_fail(tool, "the system cannot hash passwords (crypt(5))");
}

/* verb_account_add - make an account */
int
verb_account_add(struct tool *tool, int argc, char **argv)
{
	struct change	changes[2] = { { "account-add", NULL, NULL },
			    { "account-quota", NULL, NULL } };
	struct options	o;
	int		r = parse_options(argc, argv, &o);

	if (r != TOOL_OK)
		return r;
	changes[0].name = changes[1].name = argv[optind];
	if ((o.quota != NULL && (r = quota_value(tool, o.quota,
	    &changes[1].value)) != TOOL_OK) ||
	    (r = get_hash(tool, &o, &changes[0].value)) != TOOL_OK)
		return r;
	return change_make(tool, changes, o.quota != NULL ? 2 : 1);
}

/* verb_account_password - change it */
int
verb_account_password(struct tool *tool, int argc, char **argv)
{
	struct change	change = { "account-password", NULL, NULL };
	struct options	o;
	int		r = parse_options(argc, argv, &o);

	if (r != TOOL_OK || o.quota != NULL)
		return TOOL_USAGE;
	change.name = argv[optind];
	r = get_hash(tool, &o, &change.value);
	return r != TOOL_OK ? r : change_make(tool, &change, 1);
}

/* one - a change that needs only a name */
static int
one(struct tool *tool, int argc, char **argv, const char *verb)
{
	struct change change = { verb, argc > 1 ? argv[1] : "", "" };

	return argc != 2 ? TOOL_USAGE : change_make(tool, &change, 1);
}

/* quota - of an account or a domain */
static int
quota(struct tool *tool, int argc, char **argv, const char *verb)
{
	struct change	change = { verb, argc > 1 ? argv[1] : "", NULL };
	int		r;

	if (argc != 3)
		return TOOL_USAGE;
	r = quota_value(tool, argv[2], &change.value);
	return r != TOOL_OK ? r : change_make(tool, &change, 1);
}

static int
list(struct tool *tool, int argc, const char *kind)
{
	return argc != 1 ? TOOL_USAGE : change_list(tool, kind);
}

int
verb_account_list(struct tool *tool, int argc, char **argv)
{
	(void)argv;
	return list(tool, argc, "account");
}

int
verb_account_show(struct tool *tool, int argc, char **argv)
{
	return argc != 2 ? TOOL_USAGE : change_show(tool, "account", argv[1]);
}

int
verb_account_name(struct tool *tool, int argc, char **argv)
{
	struct change change = { "account-name", argc > 1 ? argv[1] : "",
	    argc > 2 ? argv[2] : "" };

	return argc != 3 ? TOOL_USAGE : change_make(tool, &change, 1);
}

int
verb_account_delete(struct tool *tool, int argc, char **argv)
{
	return one(tool, argc, argv, "account-delete");
}

int
verb_account_quota(struct tool *tool, int argc, char **argv)
{
	return quota(tool, argc, argv, "account-quota");
}

int
verb_account_enable(struct tool *tool, int argc, char **argv)
{
	return one(tool, argc, argv, "account-enable");
}

int
verb_account_disable(struct tool *tool, int argc, char **argv)
{
	return one(tool, argc, argv, "account-disable");
}

int
verb_domain_add(struct tool *tool, int argc, char **argv)
{
	return one(tool, argc, argv, "domain-add");
}

int
verb_domain_list(struct tool *tool, int argc, char **argv)
{
	(void)argv;
	return list(tool, argc, "domain");
}

int
verb_domain_delete(struct tool *tool, int argc, char **argv)
{
	return one(tool, argc, argv, "domain-delete");
}

int
verb_domain_quota(struct tool *tool, int argc, char **argv)
{
	return quota(tool, argc, argv, "domain-quota");
}

int
verb_alias_add(struct tool *tool, int argc, char **argv)
{
	return change_targets(tool, argc, argv, "alias-add");
}

int
verb_alias_set(struct tool *tool, int argc, char **argv)
{
	return change_targets(tool, argc, argv, "alias-set");
}

int
verb_alias_list(struct tool *tool, int argc, char **argv)
{
	(void)argv;
	return list(tool, argc, "alias");
}

int
verb_alias_delete(struct tool *tool, int argc, char **argv)
{
	return one(tool, argc, argv, "alias-delete");
}
