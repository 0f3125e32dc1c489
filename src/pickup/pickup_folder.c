/* SPDX-License-Identifier: ISC */
/*
 * The drop folder. It is looked through when a program says that it has
 * dropped a message, when a file that could not be taken is due again, and now
 * and then in any case. A file is in work once at a time; one that takes long
 * stops no other.
 *
 * One process alone works in the folder: it holds a lock on it. After a
 * restart the one before may still be there for a moment.
 */
#include "pickup/pickup.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libtask/work.h"
#include "libutil/alloc.h"
#include "pickup/pickup_events.h"

#define NAMES		128	/* read at once */
#define LOCK_PAUSE	100	/* ms until the lock is tried again */
#define PURGE_AFTER	86400	/* seconds */
#define REST		5	/* ms between two looks, however many ask */
#define NOTHING_LATER	INT64_MAX

/* names of a folder, some at a time */
struct listing {
	DIR		*stream;
	int		 folder;
	int64_t		 now;		/* seconds since 1970 */
	size_t		 count;
	char		 name[NAMES][DROP_NAME_LEN + 1];
	char		 purged[sizeof(DROP_UNFINISHED) + DROP_NAME_LEN];
};

/* purge - what a program left unfinished long ago; true if it was that */
static bool
purge(struct listing *l, const char *name)
{
	struct slice	s = slice_of(name);
	struct stat	st;

	if (!slice_has_prefix(s, S(DROP_UNFINISHED)) ||
	    s.len >= sizeof(l->purged) ||
	    fstatat(l->folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_ctim.tv_sec > l->now - PURGE_AFTER ||
	    unlinkat(l->folder, name, 0) < 0)
		return false;
	memcpy(l->purged, name, s.len + 1);
	return true;
}

/* list_work - the next names; none: that was all */
static int
list_work(void *arg)
{
	struct listing		*l = arg;
	const struct dirent	*e;
	int			 fd;

	l->count = 0;
	l->purged[0] = '\0';
	if (l->stream == NULL) {
		fd = openat(l->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		l->stream = fdopendir(fd);
		if (l->stream == NULL) {
			fd_close(&fd);
			return -errno;
		}
	}
	errno = 0;
	while (l->count < NAMES && (e = readdir(l->stream)) != NULL) {
		/* folders are nobody's mail, and cannot be removed by us */
		if (e->d_type == DT_DIR)
			continue;
		if (drop_is_name(slice_of(e->d_name)))
			memcpy(l->name[l->count++], e->d_name,
			    DROP_NAME_LEN + 1);
		else if (purge(l, e->d_name))
			break;		/* which is logged first */
		errno = 0;
	}
	return errno != 0 && l->count == 0 ? -errno : 0;
}

/* one file's task */
struct one {
	struct pickup	*pickup;
	char		 name[DROP_NAME_LEN + 1];
};

static int
one_task(struct task *t, void *arg)
{
	struct one	*o = arg;
	struct pickup	*p = o->pickup;
	int		 r;

	r = pickup_submit(t, p, o->name);
	(void)hash_remove(&p->busy, slice_of(o->name)); /* it was there */
	free(o);
	return r == -ECANCELED ? r : 0;
}

/* is_due - not in work, and not to be left alone for a while */
static bool
is_due(struct task *t, struct pickup *p, const char *name)
{
	struct slice	key = slice_of(name);
	const int64_t	*when = hash_get(&p->later, key);

	if (hash_get(&p->busy, key) != NULL)
		return false;
	if (when != NULL && *when > task_now(t)) {
		p->soonest = *when < p->soonest ? *when : p->soonest;
		return false;
	}
	free(hash_remove(&p->later, key));
	return true;
}

/* begin - take a file into work */
static void
begin(struct pickup *p, struct task_group *g, const char *name)
{
	struct one *o = NEW(struct one);

	o->pickup = p;
	memcpy(o->name, name, sizeof(o->name));
	(void)hash_put(&p->busy, slice_of(name), o);	/* it was not there */
	task_group_start(g, one_task, o);
}

/* scan - all files of the folder */
static int
scan(struct task *t, struct pickup *p, struct task_group *g)
{
	struct listing	*l = NEW(struct listing);
	int		 r;

	l->folder = p->folder;
	l->now = task_wall(t) / 1000000;
	p->soonest = NOTHING_LATER;
	do {
		r = work_run(t, list_work, l);
		for (size_t i = 0; r == 0 && i < l->count &&
		    !daemon_is_draining(p->daemon); i++) {
			r = task_group_wait(t, g, PICKUP_PARALLEL - 1);
			if (r == 0 && is_due(t, p, l->name[i]))
				begin(p, g, l->name[i]);
		}
		if (l->purged[0] != '\0')
			log_event(daemon_log(p->daemon), EV_PICKUP_PURGED,
			    KV_TEXT("file", l->purged));
	} while (r == 0 && (l->count > 0 || l->purged[0] != '\0') &&
	    !daemon_is_draining(p->daemon));
	if (l->stream != NULL)
		(void)closedir(l->stream);	/* it was only read */
	free(l);
	return r;
}

static int
sync_work(void *arg)
{
	return fsync(((struct pickup *)arg)->folder) < 0 ? -errno : 0;
}

/* rest - until there may be something to do */
static int
rest(struct task *t, struct pickup *p, int64_t began)
{
	const struct pickup_params *params = daemon_params(p->daemon);
	int64_t		ms = params->pickup_scan_interval;
	struct deadline	d;
	int		r;

	if (p->soonest != NOTHING_LATER)
		ms = p->soonest - task_now(t) < ms ?
		    p->soonest - task_now(t) : ms;
	deadline_begin(t, &d, ms < REST ? REST : ms);
	r = signal_wait(t, &p->wake);
	r = deadline_end(t, &d, r);
	if (r == -ETIMEDOUT)
		r = 0;
	/* whoever wakes us all the time gets no more of us */
	return r == 0 && task_now(t) < began + REST ?
	    task_sleep(t, began + REST - task_now(t)) : r;
}

/* work_folder - scan after scan */
static int
work_folder(struct task *t, struct pickup *p)
{
	struct task_group	g;
	int64_t			began;
	int			r = 0, end;

	task_group_begin(t, &g);
	while (r == 0 && !daemon_is_draining(p->daemon)) {
		began = task_now(t);
		if ((r = scan(t, p, &g)) < 0 && r != -ECANCELED) {
			log_event(daemon_log(p->daemon), EV_PICKUP_FOLDER,
			    KV_ERR("why", r));
			r = task_sleep(t, 1000);
		}
		/* A file that comes back after a power cut is known by its id
		 * for a while, but not for ever */
		if (r == 0 && p->dirty) {
			p->dirty = false;
			ignore(work_run(t, sync_work, p));
		}
		if (r == 0)
			r = rest(t, p, began);
	}
	end = task_group_end(t, &g);
	return r < 0 ? r : end;
}

static int
lock_work(void *arg)
{
	return flock(((struct pickup *)arg)->folder, LOCK_EX | LOCK_NB) < 0 ?
	    -errno : 0;
}

/* own - have the folder, alone */
static int
own(struct task *t, struct pickup *p)
{
	int r;

	if (p->folder < 0)
		p->folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->folder < 0)
		return -errno;
	while ((r = work_run(t, lock_work, p)) == -EWOULDBLOCK)
		if ((r = task_sleep(t, LOCK_PAUSE)) < 0)
			return r;
	return r;
}

/* pickup_run - as long as the daemon lives */
int
pickup_run(struct task *t, struct daemon *d)
{
	struct pickup		*p = daemon_data(d);
	struct hash_iter	 it = { 0 };
	struct slice		 key;
	void			*when;
	int			 r;

	daemon_on_drain(d, &p->wake);
	p->started = task_wall(t);
	if ((r = own(t, p)) == 0)
		r = work_folder(t, p);
	else if (r != -ECANCELED)
		log_event(daemon_log(d), EV_PICKUP_FOLDER, KV_ERR("why", r));
	daemon_on_drain(d, NULL);
	while (hash_next(&p->later, &it, &key, &when))
		free(when);
	hash_free(&p->later);
	hash_free(&p->busy);
	fd_close(&p->folder);
	return r;
}

/* pickup_client - whatever it says, it means that there is a message */
int
pickup_client(struct task *t, struct daemon *d, int *fd_take,
    const struct sockaddr_storage *peer, const char *listener)
{
	struct pickup *p = daemon_data(d);

	(void)t;
	(void)peer;
	(void)listener;
	fd_close(fd_take);
	signal_set(&p->wake);
	return 0;
}
