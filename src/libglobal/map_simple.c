/* SPDX-License-Identifier: ISC */
/* The tables without files: static, inline, environ, fail, internal, unix. */
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

#include "libglobal/map.h"
#include "libglobal/map_impl.h"
#include "libglobal/map_text.h"
#include "libutil/alloc.h"
#include "libutil/buf.h"
#include "libutil/conf.h"

#define UNIX_ROOM_MAX	((size_t)1 << 20)	/* one passwd or group entry */

/* close_nothing - of a table without state */
static void
close_nothing(struct map_table *t)
{
	(void)t;
}

/* free_state - of a table whose state is one piece */
static void
free_state(struct map_table *t)
{
	free(t->state);
}

/* static_get - the same for every key */
static int
static_get(struct map_table *t, struct slice key, struct buf *value)
{
	(void)key;
	buf_add_text(value, t->state);
	return 0;
}

/* map_open_static - static:text, static:{text} */
int
map_open_static(struct map_table *t, const struct map_args *args,
    struct diag *d)
{
	static const struct map_table_ops ops = {
		static_get, NULL, NULL, free_state
	};

	(void)d;
	t->state = slice_dup(map_unbrace(args->name));
	t->ops = &ops;
	return 0;
}

/* environ_get - a variable of the environment */
static int
environ_get(struct map_table *t, struct slice key, struct buf *value)
{
	char *name = slice_dup(key);
	const char *text = getenv(name);

	(void)t;
	free(name);
	if (text == NULL)
		return -ENOENT;
	buf_add_text(value, text);
	return 0;
}

/* environ_each - all variables */
static int
environ_each(struct map_table *t, map_each_fn *each, void *arg)
{
	int r = 0;

	(void)t;
	for (char **e = environ; *e != NULL && r == 0; e++) {
		struct slice value = slice_of(*e);
		struct slice key = slice_split(&value, '=');

		r = each(arg, key, value);
	}
	return r;
}

/* map_open_environ - environ: */
int
map_open_environ(struct map_table *t, const struct map_args *args,
    struct diag *d)
{
	static const struct map_table_ops ops = {
		environ_get, environ_each, NULL, close_nothing
	};

	(void)args;
	(void)d;
	t->ops = &ops;
	return 0;
}

/* fail_get - never an answer */
static int
fail_get(struct map_table *t, struct slice key, struct buf *value)
{
	(void)t;
	(void)key;
	(void)value;
	return -EIO;
}

/* map_open_fail - fail:anything */
int
map_open_fail(struct map_table *t, const struct map_args *args, struct diag *d)
{
	static const struct map_table_ops ops = {
		fail_get, NULL, NULL, close_nothing
	};

	(void)args;
	(void)d;
	t->ops = &ops;
	return 0;
}

/* internal_get - never a key */
static int
internal_get(struct map_table *t, struct slice key, struct buf *value)
{
	(void)t;
	(void)key;
	(void)value;
	return -ENOENT;
}

/* internal_each - nothing to walk */
static int
internal_each(struct map_table *t, map_each_fn *each, void *arg)
{
	(void)t;
	(void)each;
	(void)arg;
	return 0;
}

/* map_open_internal - internal:name */
int
map_open_internal(struct map_table *t, const struct map_args *args,
    struct diag *d)
{
	static const struct map_table_ops ops = {
		internal_get, internal_each, NULL, close_nothing
	};

	(void)args;
	(void)d;
	t->ops = &ops;
	return 0;
}

/* add_inline - one "key = text" */
static int
add_inline(struct map_table *t, struct slice word, unsigned flags,
    struct diag *d)
{
	char folded[MAP_KEY_MAX];
	struct slice value = map_unbrace(word), key;

	if (slice_find(value, '=') == SLICE_NONE)
		return diag_set(d, 0, 0, "inline: \"%.*s\" is not key=text",
		    SLICE_ARG(word));
	key = slice_trim(slice_split(&value, '='));
	if (key.len == 0)
		return diag_set(d, 0, 0, "inline: \"%.*s\" has no key",
		    SLICE_ARG(word));
	if ((flags & MAP_NO_FOLD) == 0)
		key = map_fold(key, folded);
	if (!map_text_add(t, key, slice_trim(value)))
		map_note(t, "", 0, "inline: the key \"%.*s\" comes twice; "
		    "the first counts", SLICE_ARG(key));
	return 0;
}

/* map_open_inline - inline:{ key=text, { key = text with blanks } } */
int
map_open_inline(struct map_table *t, const struct map_args *args,
    struct diag *d)
{
	struct slice rest = map_unbrace(args->name), word;
	int r;

	map_text_init(t);
	while ((r = conf_list_next(&rest, &word)) > 0)
		if ((r = add_inline(t, word, args->flags, d)) < 0)
			return r;
	if (r < 0)
		return diag_set(d, 0, 0, "inline: a brace has no partner");
	return 0;
}

/* passwd_text - one entry as /etc/passwd writes it */
static int
passwd_text(const char *name, char *room, size_t size, struct buf *value)
{
	struct passwd pw, *found;
	int error = getpwnam_r(name, &pw, room, size, &found);

	if (error == 0 && found != NULL)
		buf_addf(value, "%s:%s:%lu:%lu:%s:%s:%s", pw.pw_name,
		    pw.pw_passwd, (unsigned long)pw.pw_uid,
		    (unsigned long)pw.pw_gid, pw.pw_gecos, pw.pw_dir,
		    pw.pw_shell);
	return error != 0 ? -error : found == NULL ? -ENOENT : 0;
}

/* group_text - one entry as /etc/group writes it */
static int
group_text(const char *name, char *room, size_t size, struct buf *value)
{
	struct group gr, *found;
	int error = getgrnam_r(name, &gr, room, size, &found);

	if (error != 0 || found == NULL)
		return error != 0 ? -error : -ENOENT;
	buf_addf(value, "%s:%s:%lu:", gr.gr_name, gr.gr_passwd,
	    (unsigned long)gr.gr_gid);
	for (char **member = gr.gr_mem; *member != NULL; member++)
		buf_addf(value, "%s%s", member == gr.gr_mem ? "" : ",",
		    *member);
	return 0;
}

static const struct unix_kind {
	const char	*name;
	int		(*text)(const char *name, char *room, size_t size,
			    struct buf *value);
} unix_kinds[] = {
	{ "passwd.byname", passwd_text },
	{ "group.byname", group_text },
};

/* unix_get - ask the system */
static int
unix_get(struct map_table *t, struct slice key, struct buf *value)
{
	const struct unix_kind *kind = t->state;
	char *name, *room = NULL;
	size_t size = 2048;
	int r;

	if (slice_find(key, '\0') != SLICE_NONE)
		return -ENOENT;
	name = slice_dup(key);
	do {
		size *= 2;
		room = xrealloc(room, size);
		r = kind->text(name, room, size, value);
	} while (r == -ERANGE && size < UNIX_ROOM_MAX);
	free(room);
	free(name);
	/* what getpwnam(3) lists as further ways of "there is none" */
	return r == -ESRCH || r == -EBADF || r == -EPERM ? -ENOENT : r;
}

/* map_open_unix - unix:passwd.byname, unix:group.byname */
int
map_open_unix(struct map_table *t, const struct map_args *args, struct diag *d)
{
	static const struct map_table_ops ops = {
		unix_get, NULL, NULL, close_nothing
	};

	for (size_t i = 0; i < COUNT(unix_kinds); i++)
		if (slice_equal(args->name, slice_of(unix_kinds[i].name))) {
			t->state = (void *)&unix_kinds[i];
			t->ops = &ops;
			return 0;
		}
	return diag_set(d, 0, 0, "unix:%.*s is not known: there are "
	    "unix:passwd.byname and unix:group.byname", SLICE_ARG(args->name));
}
