/* SPDX-License-Identifier: ISC */
/* What the types with built files have in common. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/map.h"
#include "libglobal/map_impl.h"
#include "libutil/buf.h"

/* map_built_path - name and suffix, from the root */
int
map_built_path(const struct map_args *args, struct buf *path, struct diag *d)
{
	char *folder;

	if (args->name.len == 0 || slice_find(args->name, '\0') != SLICE_NONE)
		return diag_set(d, 0, 0, "%s: names no file",
		    args->type->name);
	if (args->name.data[0] != '/') {
		if ((folder = getcwd(NULL, 0)) == NULL)
			return map_file_error(d, "find", "the current folder",
			    -errno);
		buf_addf(path, "%s/", folder);
		free(folder);
	}
	buf_add(path, args->name);
	buf_add_text(path, args->type->suffix);
	return 0;
}

/* map_built_error - a built file cannot be opened */
int
map_built_error(struct diag *d, const struct map_args *args, const char *path,
    int r)
{
	char *text = slice_dup(args->name);

	diag_file(d, path);
	if (r == -ENOENT && access(text, F_OK) == 0)
		(void)diag_set(d, 0, 0, "is not built yet: run postmap %s:%s "
		    "(postalias for an aliases file)", args->type->name, text);
	else if (r == -EINVAL)
		(void)diag_set(d, 0, 0, "is no %s file: build it again with "
		    "postmap %s:%s", args->type->name, args->type->name, text);
	else if (r == -EUCLEAN)
		(void)diag_set(d, 0, 0, "is cut short: build it again with "
		    "postmap %s:%s (postalias for an aliases file)",
		    args->type->name, text);
	else
		(void)map_file_error(d, "open", path, r);
	free(text);
	return r;
}

/* map_note_age - is the built file older than its text? */
void
map_note_age(struct map_table *t, const struct map_args *args,
    const struct stat *built)
{
	char *text = slice_dup(args->name);
	struct stat st;

	if (stat(text, &st) == 0 && st.st_mtim.tv_sec > built->st_mtim.tv_sec)
		map_note(t, text, 0, "is newer than what was built from it: "
		    "run postmap %s:%s (postalias for an aliases file)",
		    args->type->name, text);
	free(text);
}

/* map_built_bytes - what stands for a text in the file */
struct slice
map_built_bytes(struct slice s, bool with_nul, struct buf *room)
{
	if (!with_nul)
		return s;
	buf_reset(room);
	buf_add(room, s);
	buf_add_byte(room, '\0');
	return buf_slice(room);
}

/* map_built_text - the text that bytes of the file stand for */
struct slice
map_built_text(struct slice bytes)
{
	if (bytes.len > 0 && bytes.data[bytes.len - 1] == '\0')
		bytes.len--;
	return bytes;
}

/* map_built_get - look a key up in the one form or both */
int
map_built_get(enum map_nul *nul, struct slice key, map_built_find_fn *find,
    void *arg, struct buf *value)
{
	struct buf room = BUF_INIT;
	int r = -ENOENT;

	if (*nul != MAP_NUL_NO &&
	    (r = find(arg, map_built_bytes(key, true, &room), value)) == 0)
		*nul = MAP_NUL_YES;
	if (r == -ENOENT && *nul != MAP_NUL_YES &&
	    (r = find(arg, key, value)) == 0)
		*nul = MAP_NUL_NO;
	buf_free(&room);
	return r;
}

/* map_built_each - walk all entries */
int
map_built_each(map_built_next_fn *next, void *cursor, map_each_fn *each,
    void *arg)
{
	struct slice key, value;
	int r = 0;

	while (r == 0) {
		if ((r = next(cursor, &key, &value)) < 0)
			return r == -ENOENT ? 0 : r;
		r = each(arg, map_built_text(key), map_built_text(value));
	}
	return r;
}
