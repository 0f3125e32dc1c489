/* SPDX-License-Identifier: ISC */
/* Paths and roles: what needs no account. */
#include "libstore/mailboxes.h"

#include "libutil/utf8.h"

/* level_check - one level of a path */
static int
level_check(struct slice level)
{
	if (level.len == 0)
		return -EINVAL;
	if (level.len > MAILBOX_LEVEL_MAX)
		return -ENAMETOOLONG;
	for (size_t i = 0; i < level.len; i++)
		if ((unsigned char)level.data[i] < ' ' ||
		    level.data[i] == 0x7f)
			return -EINVAL;
	return 0;
}

/* mailbox_path_check - is it well-formed? */
int
mailbox_path_check(struct slice path)
{
	size_t	depth = 0;
	int	r;

	if (path.len > MAILBOX_PATH_MAX)
		return -ENAMETOOLONG;
	if (path.len == 0 || path.data[path.len - 1] == '/' ||
	    !utf8_is_valid(path))
		return -EINVAL;
	while (path.len > 0) {
		if (++depth > MAILBOX_DEPTH_MAX)
			return -ENAMETOOLONG;
		if ((r = level_check(slice_split(&path, '/'))) < 0)
			return r;
	}
	return 0;
}

/* mailboxes_level - cut a level off the front */
struct slice
mailboxes_level(struct slice *rest, bool is_top)
{
	struct slice level = slice_split(rest, '/');

	if (is_top && slice_equal_nocase(level, S("INBOX")))
		return S("INBOX");
	return level;
}

static const struct {
	enum mailbox_role	 role;
	const char		*imap;
	const char		*jmap;
} roles[] = {
#define ROLE(name, number, imap, jmap, path) \
	{ MAILBOX_ROLE_##name, imap, jmap },
#include "libstore/roles.def"
};

/* mailbox_role_imap - the attribute that LIST shows, or NULL */
const char *
mailbox_role_imap(enum mailbox_role role)
{
	for (size_t i = 0; i < COUNT(roles); i++)
		if (roles[i].role == role)
			return roles[i].imap;
	return NULL;
}

/* mailbox_role_jmap - the role that Mailbox/get shows, or NULL */
const char *
mailbox_role_jmap(enum mailbox_role role)
{
	for (size_t i = 0; i < COUNT(roles); i++)
		if (roles[i].role == role)
			return roles[i].jmap;
	return NULL;
}

/* mailbox_role_of_imap - the role of an attribute */
enum mailbox_role
mailbox_role_of_imap(struct slice attribute)
{
	for (size_t i = 0; i < COUNT(roles); i++)
		if (roles[i].imap != NULL && slice_equal_nocase(attribute,
		    slice_of(roles[i].imap)))
			return roles[i].role;
	return MAILBOX_ROLE_NONE;
}
