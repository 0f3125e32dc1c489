/* SPDX-License-Identifier: ISC */
/*
 * The folders of master_layout.def, and as whom and where each daemon lives.
 * As root each daemon has its own user where that exists; where it does not,
 * all have one (mail_owner, else nobody). Unprivileged, all are who we are.
 */
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/sandbox_rows.h"
#include "libglobal/slot.h"
#include "libutil/conf.h"
#include "master/master.h"

#define NOBODY	65534

static const struct folder {
	const char	*param;
	const char	*below;
	const char	*daemon;
	mode_t		 mode;
} folders[] = {
#define FOLDER(param, below, daemon, mode) { #param, below, daemon, mode },
#include "master/master_layout.def"
};

/* row_of - the sandbox row of a daemon; the zygote's program is accountd */
static const struct sandbox_row *
row_of(const char *daemon)
{
	return sandbox_row_find(strcmp(daemon, "accountd") == 0 ?
	    S("zygote") : slice_of(daemon));
}

/* layout_user_of - as whom a daemon runs */
void
layout_user_of(struct master *m, const char *daemon, uid_t *ret_uid,
    gid_t *ret_gid)
{
	const struct sandbox_row *row = row_of(daemon);
	const struct passwd	 *pw;
	const struct group	 *gr;
	char			  name[64];

	*ret_uid = geteuid();
	*ret_gid = getegid();
	if (*ret_uid != 0 || row == NULL)
		return;
	(void)snprintf(name, sizeof(name), "barid-%s", row->user);
	pw = getpwnam(name);
	if (pw == NULL)
		pw = getpwnam(master_path(m, "mail_owner"));
	*ret_uid = pw == NULL ? NOBODY : pw->pw_uid;
	*ret_gid = pw == NULL ? NOBODY : pw->pw_gid;
	(void)snprintf(name, sizeof(name), "barid-%s", row->group);
	gr = getgrnam(name);
	if (gr != NULL)
		*ret_gid = gr->gr_gid;
}

/* layout_root_of - the folder that is a daemon's root; empty: none */
void
layout_root_of(struct master *m, const char *daemon, struct buf *out)
{
	const struct sandbox_row *row = row_of(daemon);
	const char		 *queue = master_path(m, "queue_directory");
	const char		 *data = master_path(m, "data_directory");

	if (row == NULL)
		return;
	switch (row->root) {
	case SANDBOX_ROOT_NONE:
	case SANDBOX_ROOT_ACCOUNT:	/* the account process enters it itself */
		return;
	case SANDBOX_ROOT_EMPTY:
		buf_addf(out, "%s/empty", queue);
		return;
	case SANDBOX_ROOT_QUEUE:
		buf_add_text(out, queue);
		return;
	case SANDBOX_ROOT_DROP:
		buf_addf(out, "%s/maildrop", queue);
		return;
	case SANDBOX_ROOT_BOUNCE:
		buf_addf(out, "%s/bounce", queue);
		return;
	case SANDBOX_ROOT_STORE:
		buf_add_text(out, master_path(m, "store_directory"));
		return;
	case SANDBOX_ROOT_AUTH:
		buf_addf(out, "%s/auth", data);
		return;
	case SANDBOX_ROOT_LOG:
		buf_addf(out, "%s/log", data);
		return;
	}
}

/* make - one folder as it must be */
static int
make(struct master *m, const struct folder *f, struct diag *diag)
{
	struct slice	path = arena_printf(&m->arena, "%s%s",
			    master_path(m, f->param), f->below);
	uid_t		uid = geteuid();
	gid_t		gid = getegid();
	int		fd = -1, r = 0;

	if (f->daemon[0] != '\0')
		layout_user_of(m, f->daemon, &uid, &gid);
	if (mkdir(path.data, f->mode) < 0 && errno != EEXIST)
		r = -errno;
	if (r == 0) {
		fd = open(path.data,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || (geteuid() == 0 && fchown(fd, uid, gid) < 0) ||
		    fchmod(fd, f->mode) < 0)
			r = -errno;
	}
	fd_close(&fd);
	if (r < 0)
		(void)diag_set(diag, 0, 0, "cannot make the folder %s: %s",
		    path.data, strerror(-r));
	return r;
}

/* make_queue - the queue's own folders */
static int
make_queue(struct master *m, struct diag *diag)
{
	const char		*path = master_path(m, "queue_directory");
	struct queue_owner	 owner = { 0 };
	gid_t			 gid;
	int			 fd, r;

	layout_user_of(m, "cleanup", &owner.cleanup, &owner.group);
	layout_user_of(m, "qmgr", &owner.qmgr, &gid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = queue_folders_make(fd, &owner, diag);
	fd_close(&fd);
	return r;
}

/* layout_make - all folders */
int
layout_make(struct master *m, struct diag *diag)
{
	int r;

	for (size_t i = 0; i < COUNT(folders); i++)
		if ((r = make(m, &folders[i], diag)) < 0)
			return r;
	return make_queue(m, diag);
}
