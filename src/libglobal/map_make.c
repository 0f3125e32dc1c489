/* SPDX-License-Identifier: ISC */
/*
 * Adding to and deleting from a built file make a new file, too: what is
 * there is copied. That costs a copy, and buys that no reader ever sees a
 * file in the middle of a change. A lock on the old file keeps two such
 * changes from losing each other's.
 */
#include "libglobal/map_make.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/map.h"
#include "libglobal/map_builder.h"
#include "libglobal/map_impl.h"
#include "libglobal/map_module.h"
#include "libglobal/map_source.h"
#include "libtask/folder.h"
#include "libutil/alloc.h"
#include "libutil/buf.h"

#define LOCK_TRIES	100

struct maker {
	const struct map_make_options	*o;
	const struct map_builder_ops	*ops;
	const struct map_type		*type;
	struct diag			*diag;
	struct slice			 name;		/* behind "type:" */
	struct buf			 path;		/* the built file */
	struct buf			 tmp;		/* the new one */
	struct buf			 key;		/* of an alias */
	struct map_source		 source;
	struct stat			 like;	/* whose owner and mode */
	int				 old_fd;	/* locked */
	void				*state;
	struct map_make_counts		 counts;
};

/* --- acting as the owner of the text */
struct rights {
	bool	 changed;
	int	 group_count;
	gid_t	*group;
};

#define RIGHTS_INIT	{ false, 0, NULL }

/* rights_drop - act as that owner, if we are root and they are not */
static int
rights_drop(struct rights *r, const struct stat *owner)
{
	if (geteuid() != 0 || owner->st_uid == 0)
		return 0;
	if ((r->group_count = getgroups(0, NULL)) < 0)
		return -errno;
	r->group = NEW_ARRAY(gid_t, (size_t)r->group_count + 1);
	r->group_count = getgroups(r->group_count, r->group);
	if (r->group_count < 0)
		return -errno;
	r->changed = true;
	if (setgroups(0, NULL) < 0 || setegid(owner->st_gid) < 0 ||
	    seteuid(owner->st_uid) < 0)
		return -errno;
	return 0;
}

/* rights_restore - be root again */
static void
rights_restore(struct rights *r)
{
	if (!r->changed)
		return;
	r->changed = false;
	if (seteuid(0) < 0 || setegid(getgid()) < 0 ||
	    setgroups((size_t)r->group_count, r->group) < 0)
		fatal("cannot take back the rights of root: %s",
		    strerror(errno));
	free(r->group);
	r->group = NULL;
}

/* warn - tell of an odd line */
static void
warn(const struct maker *m, uint32_t line, const char *why, struct slice what)
{
	struct diag d = DIAG_INIT;
	char *file = slice_dup(m->name);

	if (m->o->warn == NULL)
		goto out;
	diag_file(&d, m->o->input >= 0 ? "(standard input)" : file);
	if (what.len > 0)
		(void)diag_set(&d, line, 0, "%s: \"%.*s\"", why,
		    SLICE_ARG(what));
	else
		(void)diag_set(&d, line, 0, "%s", why);
	m->o->warn(m->o->arg, &d);
out:
	free(file);
}

/* check_key - an aliases file where a table was expected? */
static void
check_key(const struct maker *m, uint32_t line, struct slice key)
{
	if (m->o->syntax == MAP_SYNTAX_TABLE && key.len > 1 &&
	    key.data[key.len - 1] == ':')
		warn(m, line, "the key ends in a colon; is this an aliases "
		    "file, for postalias?", key);
}

/* put_line - one line of the text */
static int
put_line(struct maker *m, struct slice text, uint32_t line)
{
	char folded[MAP_KEY_MAX];
	struct slice key, value;
	const char *why;
	int r;

	r = m->o->syntax == MAP_SYNTAX_ALIASES ?
	    map_source_split_alias(text, &m->key, &key, &value, &why) :
	    map_source_split(text, &key, &value, &why);
	if (r == 0 && key.len > MAP_KEY_MAX) {
		why = "the key is too long";
		r = -EBADMSG;
	}
	if (r < 0) {
		warn(m, line, why, SLICE_EMPTY);
		m->counts.malformed++;
		return 0;
	}
	check_key(m, line, key);
	if (!m->o->no_fold)
		key = map_fold(key, folded);
	r = m->ops->put(m->state, key, value, m->o->replace);
	if (r == -EEXIST) {
		m->counts.duplicates++;
		if (!m->o->ignore_duplicates)
			warn(m, line, "duplicate entry", key);
		return 0;
	}
	if (r == -ENAMETOOLONG) {
		warn(m, line, "the key is too long for this type", key);
		m->counts.malformed++;
		return 0;
	}
	return r;
}

/* copy_entry - one entry of the old file */
static int
copy_entry(void *arg, struct slice key, struct slice value)
{
	struct maker *m = arg;

	return m->ops->put(m->state, key, value, true);
}

/* copy_old - all entries of the old file */
static int
copy_old(struct maker *m)
{
	struct buf spec = BUF_INIT;
	struct map *old = NULL;
	int r;

	buf_addf(&spec, "%s:%.*s", m->type->name, SLICE_ARG(m->name));
	r = map_open(buf_slice(&spec), MAP_NO_FOLD, m->diag, &old);
	if (r == 0)
		r = map_each(old, copy_entry, m);
	map_close(&old);
	buf_free(&spec);
	return r;
}

/* count_entry - for the report */
static int
count_entry(void *arg, struct slice key, struct slice value)
{
	(void)key;
	(void)value;
	++*(size_t *)arg;
	return 0;
}

/* find_type - what is to be made */
static int
find_type(struct maker *m, struct slice spec)
{
	const struct map_module *module;
	struct map_args args;
	struct slice rest = spec, name;
	int r;

	if (slice_find(spec, ':') == SLICE_NONE)
		return diag_set(m->diag, 0, 0, "\"%.*s\": write type:file, for "
		    "instance hash:/etc/aliases", SLICE_ARG(spec));
	name = slice_split(&rest, ':');
	m->type = map_type_find(name);
	m->name = rest;
	if (m->type == NULL)
		return diag_set(m->diag, 0, 0, "there is no table type "
		    "\"%.*s\"", SLICE_ARG(name));
	if ((m->type->flags & MAP_TYPE_BUILT) == 0) {
		(void)diag_set(m->diag, 0, 0, "a table of type %s needs no "
		    "built file", m->type->name);
		return -EOPNOTSUPP;
	}
	if ((r = map_module_load(m->type, m->diag, &module)) < 0)
		return r;
	m->ops = module == NULL ? &map_builder_lmdb : module->builder;
	args = (struct map_args){ m->type, m->name, 0, 0 };
	return map_built_path(&args, &m->path, m->diag);
}

/* lock_old - lock the built file that is there; -ENOENT if none is */
static int
lock_old(struct maker *m)
{
	const char *path = buf_cstr(&m->path);
	struct stat now, there;

	for (int i = 0; i < LOCK_TRIES; i++) {
		m->old_fd = open(path, O_RDONLY | O_CLOEXEC);
		if (m->old_fd < 0)
			return -errno;
		if (flock(m->old_fd, LOCK_EX) == 0 &&
		    fstat(m->old_fd, &now) == 0 && stat(path, &there) == 0 &&
		    now.st_ino == there.st_ino && now.st_dev == there.st_dev) {
			/* shared locks of lookups in it are taken by this
			 * process as well, on other descriptors */
			return flock(m->old_fd, LOCK_SH) < 0 ? -errno : 0;
		}
		(void)close(m->old_fd);	/* another has replaced it */
		m->old_fd = -1;
	}
	return -EBUSY;
}

/* begin - the new file, under a name of its own */
static int
begin(struct maker *m, size_t size)
{
	uint64_t salt;
	int r;

	if (getrandom(&salt, sizeof(salt), 0) != sizeof(salt))
		return -EIO;
	buf_addf(&m->tmp, "%s.%016llx.tmp", buf_cstr(&m->path),
	    (unsigned long long)salt);
	r = m->ops->begin(m->type, buf_cstr(&m->tmp), size, m->o->no_nul,
	    &m->state);
	if (r < 0) {
		(void)unlink(buf_cstr(&m->tmp));	/* if it came so far */
		return map_file_error(m->diag, "make", buf_cstr(&m->tmp), r);
	}
	return 0;
}

/* give_rights - owner and mode of the new file */
static int
give_rights(const struct maker *m, int fd)
{
	mode_t mode = 0600 | (m->like.st_mode & 044);

	if (m->o->open_mode)
		mode = 0644;
	if (geteuid() == 0 && fchown(fd, m->like.st_uid, m->like.st_gid) < 0)
		return -errno;
	return fchmod(fd, mode) < 0 ? -errno : 0;
}

/* finish - make the new file the built file */
static int
finish(struct maker *m)
{
	const char *tmp = buf_cstr(&m->tmp), *path = buf_cstr(&m->path);
	int fd = -1, r;

	r = m->ops->finish(m->state);
	m->state = NULL;
	if (r == 0 && (fd = open(tmp, O_RDONLY | O_CLOEXEC)) < 0)
		r = -errno;
	if (r == 0 && (r = give_rights(m, fd)) == 0 &&
	    (fsync(fd) < 0 || rename(tmp, path) < 0))
		r = -errno;
	if (fd >= 0)
		(void)close(fd);	/* flushed already */
	if (r < 0)
		(void)unlink(tmp);
	else
		r = folder_sync_of(path);
	return r < 0 ? map_file_error(m->diag, "make", path, r) : 0;
}

/* done - release all; takes a file away that is not whole */
static void
done(struct maker *m)
{
	if (m->state != NULL) {
		m->ops->abort(m->state);
		(void)unlink(buf_cstr(&m->tmp));
	}
	if (m->old_fd >= 0)
		(void)close(m->old_fd);
	map_source_free(&m->source);
	buf_free(&m->path);
	buf_free(&m->tmp);
	buf_free(&m->key);
}

/* read_input - the text, or what is given instead of it */
static int
read_input(struct maker *m)
{
	char *path;
	int r;

	if (m->o->input < 0) {
		path = slice_dup(m->name);
		r = map_source_read(&m->source, path, &m->like, m->diag);
		free(path);
		return r;
	}
	if ((r = map_source_read_fd(&m->source, m->o->input)) < 0)
		return map_file_error(m->diag, "read", "standard input", r);
	path = slice_dup(m->name);
	/* like the text, like the old file, like nobody else's */
	if (stat(path, &m->like) < 0 &&
	    stat(buf_cstr(&m->path), &m->like) < 0) {
		m->like.st_uid = geteuid();
		m->like.st_gid = getegid();
		m->like.st_mode = 0600;
	}
	free(path);
	return 0;
}

/* add_lines - all lines of the text, and the count of what came of them */
static int
add_lines(struct maker *m)
{
	struct slice text;
	uint32_t line;
	int r = 0;

	while (r == 0 && map_source_next(&m->source, &text, &line))
		r = put_line(m, text, line);
	if (r < 0)
		return map_file_error(m->diag, "write", buf_cstr(&m->tmp), r);
	return 0;
}

/* count_entries - how many are in the file that was made */
static int
count_entries(struct maker *m)
{
	struct buf spec = BUF_INIT;
	struct map *map = NULL;
	int r;

	buf_addf(&spec, "%s:%.*s", m->type->name, SLICE_ARG(m->name));
	r = map_open(buf_slice(&spec), MAP_NO_FOLD, m->diag, &map);
	if (r == 0)
		r = map_each(map, count_entry, &m->counts.entries);
	map_close(&map);
	buf_free(&spec);
	return r;
}

/* map_make - make or extend a built file */
int
map_make(struct slice spec, const struct map_make_options *o, struct diag *d,
    struct map_make_counts *ret_counts)
{
	struct maker m = { .o = o, .diag = d, .old_fd = -1,
		.path = BUF_INIT, .source = MAP_SOURCE_INIT };
	struct rights rights = RIGHTS_INIT;
	int r;

	if ((r = find_type(&m, spec)) < 0 || (r = read_input(&m)) < 0)
		goto out;
	if (!o->keep_root && (r = rights_drop(&rights, &m.like)) < 0) {
		(void)diag_set(d, 0, 0, "cannot act as the owner of the "
		    "text: %s", strerror(-r));
		goto out;
	}
	if (o->add && (r = lock_old(&m)) < 0 && r != -ENOENT) {
		(void)map_file_error(d, "lock", buf_cstr(&m.path), r);
		goto out;
	}
	if ((r = begin(&m, m.source.text.len)) < 0 ||
	    (m.old_fd >= 0 && (r = copy_old(&m)) < 0) ||
	    (r = add_lines(&m)) < 0 || (r = finish(&m)) < 0)
		goto out;
	if (ret_counts != NULL && (r = count_entries(&m)) == 0)
		*ret_counts = m.counts;
out:
	done(&m);
	rights_restore(&rights);
	return r;
}

/* delete_keys - take keys out of the copy */
static int
delete_keys(struct maker *m, const struct slice *key, size_t count,
    size_t *ret_deleted)
{
	char folded[MAP_KEY_MAX];
	int r;

	*ret_deleted = 0;
	for (size_t i = 0; i < count; i++) {
		r = m->ops->del(m->state, m->o->no_fold ? key[i] :
		    map_fold(key[i], folded));
		if (r == 0)
			++*ret_deleted;
		else if (r != -ENOENT)
			return map_file_error(m->diag, "write",
			    buf_cstr(&m->tmp), r);
	}
	return 0;
}

/* map_delete - take keys out of a built file */
int
map_delete(struct slice spec, const struct map_make_options *o,
    const struct slice *key, size_t count, struct diag *d, size_t *ret_deleted)
{
	struct maker m = { .o = o, .diag = d, .old_fd = -1,
		.path = BUF_INIT, .source = MAP_SOURCE_INIT };
	struct rights rights = RIGHTS_INIT;
	size_t deleted = 0;
	int r;

	if ((r = find_type(&m, spec)) < 0)
		goto out;
	if (stat(buf_cstr(&m.path), &m.like) < 0) {
		r = map_file_error(d, "open", buf_cstr(&m.path), -errno);
		goto out;
	}
	if (!o->keep_root && (r = rights_drop(&rights, &m.like)) < 0) {
		(void)diag_set(d, 0, 0, "cannot act as the owner of the "
		    "file: %s", strerror(-r));
		goto out;
	}
	if ((r = lock_old(&m)) < 0) {
		(void)map_file_error(d, "lock", buf_cstr(&m.path), r);
		goto out;
	}
	if ((r = begin(&m, (size_t)m.like.st_size)) < 0 ||
	    (r = copy_old(&m)) < 0 ||
	    (r = delete_keys(&m, key, count, &deleted)) < 0)
		goto out;
	/* nothing to change: leave the file alone */
	r = deleted == 0 ? 0 : finish(&m);
	if (r == 0)
		*ret_deleted = deleted;
out:
	done(&m);
	rights_restore(&rights);
	return r;
}
