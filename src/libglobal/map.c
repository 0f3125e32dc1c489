/* SPDX-License-Identifier: ISC */
/*
 * A map is a handle around a table that never changes: a refresh opens a new
 * table beside the old one and swaps them under a lock that lookups share.
 */
#include "libglobal/map.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "libglobal/map_impl.h"
#include "libglobal/map_module.h"
#include "libutil/alloc.h"
#include "libutil/buf.h"
#include "libutil/diag.h"

struct map {
	char			*spec;
	unsigned		 flags;
	unsigned		 depth;
	const struct type_row	*row;
	pthread_rwlock_t	 lock;	/* over table, not its content */
	struct map_table	*table;		/* NULL: could not be opened, */
	int			 error;		/* ... and this is why */
	bool			 is_pattern;
	bool			 blocks;
};

static const struct type_row {
	struct map_type	 type;
	map_open_fn	*open;		/* NULL: its module has it */
} types[] = {
#define MAP_TYPE(name, open, flags, suffix, gist) \
	{ { #name, flags, suffix, gist, NULL }, open },
#define MAP_MODULE_TYPE(name, module, flags, suffix, gist) \
	{ { #name, flags, suffix, gist, MAP_MODULE_PACKAGE #module }, NULL },
#include "libglobal/map_types.def"
};

/* map_type_at - walk the types */
const struct map_type *
map_type_at(size_t row)
{
	return row < COUNT(types) ? &types[row].type : NULL;
}

/* find_row - a type by its name */
static const struct type_row *
find_row(struct slice name)
{
	for (size_t i = 0; i < COUNT(types); i++)
		if (slice_equal(slice_of(types[i].type.name), name))
			return &types[i];
	return NULL;
}

/* map_type_find - a type by its name */
const struct map_type *
map_type_find(struct slice name)
{
	const struct type_row *row = find_row(name);

	return row == NULL ? NULL : &row->type;
}

/* table_free - close a table */
static void
table_free(struct map_table **t)
{
	if (*t == NULL)
		return;
	if ((*t)->ops != NULL)
		(*t)->ops->close(*t);
	for (size_t i = 0; i < (*t)->file_count; i++)
		free((*t)->file[i].path);
	free(*t);
	*t = NULL;
}

/* table_open - open what a handle names */
static int
table_open(const struct map *m, struct diag *d, struct map_table **ret_table)
{
	const struct map_module *module;
	struct map_table *t = NULL;
	struct slice name = slice_of(m->spec);
	struct map_args args = { &m->row->type, SLICE_EMPTY, m->flags,
		m->depth };
	map_open_fn *open;
	int r;

	if ((r = map_module_load(args.type, d, &module)) < 0)
		return r;
	open = module == NULL ? m->row->open : module->open;
	t = NEW(struct map_table);
	(void)slice_split(&name, ':');
	args.name = name;
	t->is_pattern = (m->row->type.flags & MAP_TYPE_PATTERN) != 0;
	t->blocks = (m->row->type.flags & MAP_TYPE_BLOCKS) != 0;
	if ((r = open(t, &args, d)) < 0) {
		table_free(&t);
		return r;
	}
	*ret_table = t;
	return 0;
}

/* find_type - the type that a spec names */
static int
find_type(struct slice spec, unsigned depth, struct diag *d,
    const struct type_row **ret_row)
{
	struct slice rest = spec, type;

	if (slice_find(rest, ':') == SLICE_NONE)
		return diag_set(d, 0, 0, "\"%.*s\" is no lookup table: write "
		    "type:name, for instance hash:/etc/aliases",
		    SLICE_ARG(spec));
	type = slice_split(&rest, ':');
	if ((*ret_row = find_row(type)) == NULL)
		return diag_set(d, 0, 0, "\"%.*s\": there is no table type "
		    "\"%.*s\"", SLICE_ARG(spec), SLICE_ARG(type));
	if (depth > MAP_DEPTH_MAX)
		return diag_set(d, 0, 0, "\"%.*s\": tables inside tables go "
		    "deeper than %d", SLICE_ARG(spec), MAP_DEPTH_MAX);
	return 0;
}

/* map_open_inner - open a table, perhaps inside another */
int
map_open_inner(struct slice spec, unsigned flags, unsigned depth,
    struct diag *d, struct map **ret_map)
{
	struct map *m = NEW(struct map);
	int r;

	m->spec = slice_dup(slice_trim(spec));
	m->flags = flags;
	m->depth = depth;
	(void)pthread_rwlock_init(&m->lock, NULL);
	r = find_type(slice_of(m->spec), depth, d, &m->row);
	if (r == 0)
		r = table_open(m, d, &m->table);
	if (r < 0 && (flags & MAP_TOLERATE) == 0) {
		map_close(&m);
		return r;
	}
	/* a missing table is no missing key */
	m->error = r == -ENOENT ? -EIO : r;
	m->is_pattern = m->table != NULL ? m->table->is_pattern :
	    m->row != NULL && (m->row->type.flags & MAP_TYPE_PATTERN) != 0;
	/* one that may come later can be anything */
	m->blocks = m->table == NULL || m->table->blocks;
	*ret_map = m;
	return 0;
}

/* map_open - open the table that spec names */
int
map_open(struct slice spec, unsigned flags, struct diag *d,
    struct map **ret_map)
{
	return map_open_inner(spec, flags, 0, d, ret_map);
}

/* map_close - release a map */
void
map_close(struct map **m)
{
	if (*m == NULL)
		return;
	table_free(&(*m)->table);
	(void)pthread_rwlock_destroy(&(*m)->lock);
	free((*m)->spec);
	free(*m);
	*m = NULL;
}

/* map_fold - a key in lower case */
struct slice
map_fold(struct slice key, char at[MAP_KEY_MAX])
{
	size_t i;

	for (i = 0; i < key.len && ascii_lower(key.data[i]) == key.data[i]; i++)
		;
	if (i == key.len || key.len > MAP_KEY_MAX)
		return key;
	for (i = 0; i < key.len; i++)
		at[i] = ascii_lower(key.data[i]);
	return slice_over(at, key.len);
}

/* map_get - look one key up */
int
map_get(struct map *m, struct slice key, struct buf *value)
{
	char folded[MAP_KEY_MAX];
	struct buf unused = BUF_INIT_MAX(MAP_VALUE_MAX);
	size_t before;
	int r;

	if (key.len > MAP_KEY_MAX && !map_is_pattern(m))
		return -ENOENT;
	if (value == NULL)
		value = &unused;
	before = value->len;
	(void)pthread_rwlock_rdlock(&m->lock);
	if (!map_is_pattern(m) && (m->flags & MAP_NO_FOLD) == 0)
		key = map_fold(key, folded);
	r = m->table == NULL ? m->error :
	    m->table->ops->get(m->table, key, value);
	(void)pthread_rwlock_unlock(&m->lock);
	if (r == 0)
		r = buf_check(value);
	if (r < 0)
		buf_truncate(value, before);
	buf_free(&unused);
	return r;
}

/* map_each - walk all keys */
int
map_each(struct map *m, map_each_fn *each, void *arg)
{
	int r = -EOPNOTSUPP;

	(void)pthread_rwlock_rdlock(&m->lock);
	if (m->table == NULL)
		r = m->error;
	else if (m->table->ops->each != NULL)
		r = m->table->ops->each(m->table, each, arg);
	(void)pthread_rwlock_unlock(&m->lock);
	return r;
}

/* same_file - is the file at the path still the one that was read? */
static bool
same_file(const struct map_file *f)
{
	struct stat st;

	return stat(f->path, &st) == 0 && st.st_dev == f->dev &&
	    st.st_ino == f->ino && st.st_size == f->size &&
	    st.st_mtim.tv_sec == f->mtime.tv_sec &&
	    st.st_mtim.tv_nsec == f->mtime.tv_nsec;
}

/* table_changed - is a file no longer what it was, here or inside? */
static bool
table_changed(struct map_table *t)
{
	struct map *m;

	for (size_t i = 0; i < t->file_count; i++)
		if (!same_file(&t->file[i]))
			return true;
	for (size_t i = 0; t->ops->inner != NULL &&
	    (m = t->ops->inner(t, i)) != NULL; i++)
		if (map_changed(m))
			return true;
	return false;
}

/* map_changed - compare the files with those that were read */
bool
map_changed(struct map *m)
{
	bool changed;

	(void)pthread_rwlock_rdlock(&m->lock);
	/* what could not be opened may open now */
	changed = m->table == NULL ? m->row != NULL : table_changed(m->table);
	(void)pthread_rwlock_unlock(&m->lock);
	return changed;
}

/* map_each_file - the files of a table, and of those inside */
void
map_each_file(struct map *m, void (*each)(void *arg, const char *path),
    void *arg)
{
	struct map_table *t;
	struct map *inner;

	(void)pthread_rwlock_rdlock(&m->lock);
	t = m->table;
	for (size_t i = 0; t != NULL && i < t->file_count; i++)
		each(arg, t->file[i].path);
	for (size_t i = 0; t != NULL && t->ops->inner != NULL &&
	    (inner = t->ops->inner(t, i)) != NULL; i++)
		map_each_file(inner, each, arg);
	(void)pthread_rwlock_unlock(&m->lock);
}

/* map_refresh - open the table again if it changed */
int
map_refresh(struct map *m, struct diag *d)
{
	struct map_table *t, *old;
	int r;

	if (!map_changed(m))
		return 0;
	if ((r = table_open(m, d, &t)) < 0)
		return r;
	(void)pthread_rwlock_wrlock(&m->lock);
	old = m->table;
	m->table = t;
	(void)pthread_rwlock_unlock(&m->lock);
	table_free(&old);
	return 1;
}

/* map_is_pattern - may only whole strings be looked up? */
bool
map_is_pattern(const struct map *m)
{
	return m->is_pattern;
}

/* map_blocks - may a lookup wait? */
bool
map_blocks(const struct map *m)
{
	return m->blocks;
}

/* map_spec - as it was given */
const char *
map_spec(const struct map *m)
{
	return m->spec;
}

/* map_notice - what is worth telling of a table that works */
const struct diag *
map_notice(const struct map *m)
{
	return m->table == NULL || m->table->notice.text[0] == '\0' ? NULL :
	    &m->table->notice;
}

/* map_watch - remember a file as it was read */
void
map_watch(struct map_table *t, const char *path, const struct stat *st)
{
	struct map_file *f;

	if (t->file_count == MAP_FILES_MAX)
		return;
	f = &t->file[t->file_count++];
	f->path = slice_dup(slice_of(path));
	f->dev = st->st_dev;
	f->ino = st->st_ino;
	f->size = st->st_size;
	f->mtime = st->st_mtim;
}

/* map_note - something the administrator should know */
void
map_note(struct map_table *t, const char *file, uint32_t line,
    const char *format, ...)
{
	char text[sizeof(t->notice.text)];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (t->notice.text[0] != '\0')
		return;
	diag_file(&t->notice, file);
	(void)diag_set(&t->notice, line, 0, "%s", text);
}

/* map_file_error - a file that cannot be opened or read */
int
map_file_error(struct diag *d, const char *doing, const char *path, int r)
{
	diag_file(d, path);
	(void)diag_set(d, 0, 0, "cannot %s %s: %s", doing, path, strerror(-r));
	return r;
}
