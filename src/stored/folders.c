/* SPDX-License-Identifier: ISC */
/*
 * Account folders: store/<shard>/<id>, the shard being the id's first two
 * digits, so that no folder has more than some thousand entries. All of this
 * runs on worker threads, below our root folder, which is the store.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/slot_io.h"
#include "libtask/folder.h"
#include "libtask/io.h"
#include "stored/stored.h"

#define SHARD_DIGITS	2
#define FOLDER_MODE	0770	/* the account process is of our group */
#define FOLDERS_MAX	1000000	/* as store_folders has it */

/* folder_path - where an account is */
void
folder_path(struct folder_job *j, const char *id)
{
	(void)snprintf(j->path, sizeof(j->path), "%.2s/%s", id, id);
}

/* make - a folder; 1 if it is new */
static int
make(const char *path)
{
	if (mkdir(path, FOLDER_MODE) == 0)
		return 1;
	return errno == EEXIST ? 0 : -errno;
}

/* make_big - where links to large bodies go: of our group, like all of it */
static int
make_big(const char *folder)
{
	char	path[ACCOUNT_DIGITS + 8];
	int	r;

	(void)snprintf(path, sizeof(path), "%s/big", folder);
	if ((r = make(path)) == 1)
		r = folder_sync(AT_FDCWD, folder);
	return r;
}

/* folder_make - a work item */
int
folder_make(void *arg)
{
	struct folder_job	*j = arg;
	char			 shard[SHARD_DIGITS + 1];
	int			 r;

	(void)snprintf(shard, sizeof(shard), "%.2s", j->path);
	if ((r = make(shard)) < 0 ||
	    (r == 1 && (r = folder_sync(AT_FDCWD, ".")) < 0) ||
	    (r = make(j->path)) < 0 ||
	    (r == 1 && (r = folder_sync(AT_FDCWD, shard)) < 0) ||
	    (r = make_big(j->path)) < 0)
		return r;
	return 0;
}

/* add_shard - the accounts of one shard */
static int
add_shard(struct folder_list *l, const char *shard, struct slice **cap_ids,
    size_t *cap)
{
	DIR		*d = opendir(shard);
	struct dirent	*e;

	if (d == NULL)
		return errno == ENOENT ? 0 : -errno;
	while ((e = readdir(d)) != NULL && l->count < FOLDERS_MAX) {
		struct slice id = slice_of(e->d_name);

		if (!account_id_is_valid(id) ||
		    strncmp(e->d_name, shard, SHARD_DIGITS) != 0)
			continue;
		if (l->count == *cap) {
			struct slice *more = ARENA_ARRAY(l->arena,
			    struct slice, *cap * 2);

			memcpy(more, *cap_ids, *cap * sizeof(*more));
			*cap_ids = more;
			*cap *= 2;
		}
		(*cap_ids)[l->count++] = arena_dup(l->arena, id);
	}
	(void)closedir(d);
	return 0;
}

/* folder_list - a work item: the ids of all account folders */
int
folder_list(void *arg)
{
	struct folder_list	*l = arg;
	size_t			 cap = 256;
	struct slice		*ids = ARENA_ARRAY(l->arena, struct slice, cap);
	char			 shard[SHARD_DIGITS + 1];
	int			 r = 0;

	for (unsigned i = 0; i < 256 && r == 0; i++) {
		(void)snprintf(shard, sizeof(shard), "%02x", i);
		r = add_shard(l, shard, &ids, &cap);
	}
	l->ids = ids;
	return r;
}
