/* SPDX-License-Identifier: ISC */
/* Folders, programs and lookup tables. */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "libglobal/daemons.h"
#include "libglobal/map.h"
#include "libutil/conf.h"
#include "tools/check.h"
#include "tools/tables.h"

#define SPACE_MIN	((uint64_t)64 << 20)	/* less is a warning */

/* check_private - may somebody else put things there? */
static void
check_private(struct check *c, const char *path, const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		check_found(c, CHECK_WARNING, path, "belongs to user %u, who "
		    "can change it; chown root %s", (unsigned)st->st_uid, path);
	if ((st->st_mode & S_IWOTH) != 0)
		check_found(c, CHECK_ERROR, path, "everybody may write to it; "
		    "chmod o-w %s", path);
	else if ((st->st_mode & S_IWGRP) != 0 && st->st_gid != 0)
		check_found(c, CHECK_WARNING, path, "group %u may write to it; "
		    "chmod g-w %s", (unsigned)st->st_gid, path);
}

/* check_above - the folder that holds one which is yet to be made */
static void
check_above(struct check *c, const char *param, const char *path)
{
	struct slice	above = slice_of(path);
	size_t		slash = slice_find_last(above, '/');
	const char	*folder;
	struct stat	st;

	if (slash == SLICE_NONE) {
		check_found(c, CHECK_ERROR, param, "%s is not an absolute "
		    "path", path);
		return;
	}
	folder = arena_text(&c->tool->arena, slice_sub(above, 0,
	    slash == 0 ? 1 : slash));
	if (stat(folder, &st) < 0)
		check_found(c, CHECK_ERROR, param, "%s cannot be made, because "
		    "%s: %s; make that folder", path, folder, strerror(errno));
	else if (access(folder, W_OK) < 0)
		check_found(c, CHECK_ERROR, param, "%s cannot be made in %s: "
		    "%s", path, folder, strerror(errno));
}

static void
check_space(struct check *c, const char *path)
{
	struct statvfs v;

	if (statvfs(path, &v) < 0)
		return;			/* the folder's own check tells */
	if ((uint64_t)v.f_bavail * v.f_frsize < SPACE_MIN)
		check_found(c, CHECK_WARNING, path, "only %llu MiB are free; "
		    "make room, or mail will be deferred",
		    (unsigned long long)v.f_bavail * v.f_frsize >> 20);
	if (v.f_files > 0 && v.f_favail < 1000)
		check_found(c, CHECK_WARNING, path, "only %llu more files can "
		    "be made there", (unsigned long long)v.f_favail);
}

/* check_folder - a folder that a parameter names */
static void
check_folder(struct check *c, const char *param)
{
	const char	*path = tool_value(c->tool, param);
	struct stat	 st;

	if (path[0] != '/')
		check_found(c, CHECK_ERROR, param, "\"%s\" is not an absolute "
		    "path", path);
	else if (lstat(path, &st) < 0 && errno == ENOENT)
		check_above(c, param, path);	/* start makes it */
	else if (lstat(path, &st) < 0)
		check_found(c, CHECK_ERROR, param, "%s: %s", path,
		    strerror(errno));
	else if (S_ISLNK(st.st_mode))
		check_found(c, CHECK_ERROR, param, "%s is a symbolic link; "
		    "name the folder that it points to", path);
	else if (!S_ISDIR(st.st_mode))
		check_found(c, CHECK_ERROR, param, "%s is no folder", path);
	else {
		if (strcmp(param, "store_directory") != 0)
			check_private(c, path, &st);
		check_space(c, path);
	}
}

/* check_folders - configuration, queue, data */
void
check_folders(struct check *c)
{
	static const char *const params[] = {
		"queue_directory", "data_directory", "store_directory",
	};
	static const char *const files[] = { "", "/main.cf", "/master.cf" };
	struct stat st;

	for (size_t i = 0; i < COUNT(files); i++) {
		struct slice path = arena_printf(&c->tool->arena, "%s%s",
		    c->tool->config_directory, files[i]);

		if (stat(path.data, &st) == 0)
			check_private(c, path.data, &st);
	}
	for (size_t i = 0; i < COUNT(params); i++)
		if (i < 2 || access(tool_value(c->tool, params[i]), F_OK) == 0)
			check_folder(c, params[i]);
}

/* check_postdrop - may users submit mail? Where there is no such group all
 * daemons are one user, which is told elsewhere */
static void
check_postdrop(struct check *c, const char *folder)
{
	const struct group	*gr = getgrnam("barid-drop");
	struct slice		 path = arena_printf(&c->tool->arena,
				    "%s/postdrop", folder);
	struct stat		 st;

	if (stat(path.data, &st) < 0)
		check_found(c, CHECK_ERROR, path.data, "%s; nobody can submit "
		    "mail with sendmail; install it again", strerror(errno));
	else if (gr != NULL && (st.st_gid != gr->gr_gid ||
	    (st.st_mode & S_ISGID) == 0))
		check_found(c, CHECK_WARNING, path.data, "only root can submit "
		    "mail with sendmail; chgrp %s %s and chmod 2755 %s",
		    gr->gr_name, path.data, path.data);
}

/* check_programs - are the daemons there, and nobody else's? */
void
check_programs(struct check *c)
{
	const char	*folder = tool_value(c->tool, "daemon_directory");
	struct slice	 path = arena_printf(&c->tool->arena, "%s/master", folder);
	struct stat	 st;

	if (stat(path.data, &st) < 0) {
		check_found(c, CHECK_ERROR, "daemon_directory", "%s: %s; name "
		    "the folder of the daemons, or install them", path.data,
		    strerror(errno));
		return;
	}
	check_private(c, path.data, &st);
	check_postdrop(c, folder);
	for (const struct daemon_row *d = daemons_table; d->name != NULL; d++) {
		path = arena_printf(&c->tool->arena, "%s/%s", folder, d->name);
		if (stat(path.data, &st) < 0 || access(path.data, X_OK) < 0)
			check_found(c, d->always ? CHECK_ERROR : CHECK_WARNING,
			    path.data, "%s; install the daemon again",
			    strerror(errno));
		else
			check_private(c, path.data, &st);
	}
}

/* check_list - can the tables of one parameter be opened? */
static void
check_list(struct check *c, const char *param)
{
	const char	*value = tool_value(c->tool, param);
	struct diag	 diag = DIAG_INIT;
	struct map_list	*list = NULL;
	struct map	*map;
	int		 r;

	if (value[0] == '\0')
		return;
	r = map_list_open(slice_of(value), 0, &diag, &list);
	if (r < 0) {
		check_found(c, CHECK_ERROR, param, "%s",
		    diag.text[0] == '\0' ? strerror(-r) : diag.text);
		return;
	}
	for (size_t i = 0; (map = map_list_at(list, i)) != NULL; i++)
		if (map_notice(map) != NULL)
			check_found_diag(c, CHECK_WARNING, map_notice(map));
	map_list_close(&list);
}

/* check_all_tables - those of every parameter that names tables; as mapd */
static int
check_all_tables(struct tool *tool, void *arg)
{
	struct check *c = arg;
	unsigned      before = c->count[CHECK_ERROR];

	(void)tool;
	for (const struct tables_params *t = tables_params; t->table != NULL; t++)
		for (size_t i = 0; i < t->table->count; i++) {
			const char *name = t->table->params[i].name;

			if (slice_has_suffix(slice_of(name), S("_maps")) &&
			    strcmp(name, "tls_server_sni_maps") != 0)
				check_list(c, name);
		}
	return c->count[CHECK_ERROR] == before ? TOOL_OK : TOOL_FAILED;
}

/* check_tables - opened as the user who will have to read them */
void
check_tables(struct check *c)
{
	uid_t uid;
	gid_t gid;

	tool_user_of(c->tool, "mapd", &uid, &gid);
	if (geteuid() != 0) {
		(void)check_all_tables(c->tool, c);
	} else if (tool_as_user(c->tool, uid, gid, check_all_tables, c) !=
	    TOOL_OK) {
		/* the child said which, and counted for itself */
		check_found(c, CHECK_ERROR, "mapd", "the tables above cannot "
		    "be read by user %u, as which mapd runs; make or mend "
		    "them, or take them out of main.cf", (unsigned)uid);
	}
}
