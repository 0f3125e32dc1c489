/* SPDX-License-Identifier: ISC */
/* Opening, making and closing accounts; quota and statistics. */
#include "libstore/account.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libstore/bigfile.h"
#include "libstore/fileio.h"
#include "libstore/mailboxes.h"
#include "libstore/packfile.h"
#include "libstore/snap.h"
#include "libtask/folder.h"
#include "libutil/alloc.h"

#define UNPACKED_LIMIT_DEFAULT	((uint64_t)64 << 20)
#define PACK_SIZE_DEFAULT	((uint64_t)64 << 20)
#define DELIVERY_HOURS_DEFAULT	24
#define HISTORY_DAYS_DEFAULT	60

/* default_now - the system's clock */
static int64_t
default_now(void *arg)
{
	struct timespec ts;

	(void)arg;
	(void)clock_gettime(CLOCK_REALTIME, &ts);	/* cannot fail */
	return ts.tv_sec;
}

/* account_new - an account with its parameters filled in, not open yet */
static struct account *
account_new(const struct account_params *p)
{
	struct account *a = NEW(struct account);

	a->dir = -1;
	a->p = *p;
	if (a->p.unpacked_limit == 0)
		a->p.unpacked_limit = UNPACKED_LIMIT_DEFAULT;
	if (a->p.pack_size == 0)
		a->p.pack_size = PACK_SIZE_DEFAULT;
	if (a->p.delivery_id_hours == 0)
		a->p.delivery_id_hours = DELIVERY_HOURS_DEFAULT;
	if (a->p.history_days == 0)
		a->p.history_days = HISTORY_DAYS_DEFAULT;
	if (a->p.now == NULL)
		a->p.now = default_now;
	pthread_mutex_init(&a->lock, NULL);
	pthread_mutex_init(&a->big_lock, NULL);
	return a;
}

/* account_close - release everything; no-op on NULL */
void
account_close(struct account **a)
{
	struct account *x = *a;

	*a = NULL;
	if (x == NULL)
		return;
	backend_close(&x->backend);
	fileio_close(&x->dir);		/* the lock goes with it */
	pthread_mutex_destroy(&x->lock);
	pthread_mutex_destroy(&x->big_lock);
	free(x->id);
	free(x);
}

/* account_make - the first records of a new account */
static int
account_make(struct account *a)
{
	static const struct {
		const char		*name;
		enum mailbox_role	 role;
	} first[] = {
#define ROLE(name, number, imap, jmap, path) { path, MAILBOX_ROLE_##name },
#include "libstore/roles.def"
	};
	struct txn *t = NEW(struct txn);
	int64_t	now = account_now(a);
	struct mailbox_slot *slot;
	int	r;

	t->account = a;
	t->is_write = true;
	t->rec = (struct account_record){ .id = a->p.id, .next_email = 1,
		.next_mailbox = 1, .next_pack = 1, .created = now,
		.next_uidvalidity = now > 0 ? (uint32_t)now : 1 };
	r = backend_begin(a->backend, true, &t->backend);
	for (size_t i = 0; r == 0 && i < COUNT(first); i++) {
		if (first[i].name == NULL)
			continue;
		r = mailboxes_add(t, 0, slice_of(first[i].name),
		    first[i].role, &slot);
		if (r == 0) {
			slot->rec.attributes = MAILBOX_SUBSCRIBED;
			slot->is_dirty = true;
		}
	}
	return txn_finish(&t, r);
}

/* load_day - the newest day that has a mark */
static int
load_day(struct txn *t, uint32_t *ret_day)
{
	struct backend_range *range;
	struct slice key, value;
	struct key all, end;
	int	r;

	key_1(&all, KEY_DAY);
	key_after(&end, &all);
	r = backend_range(t->backend, key_slice(&all), key_slice(&end), true,
	    &range);
	if (r < 0)
		return r;
	r = backend_next(range, &key, &value);
	if (r == 1 || r == -EBADMSG)
		r = key_parse_u32(key, KEY_DAY, ret_day);
	backend_range_end(&range);
	return r;
}

/* account_load - read the account record and the newest day mark */
static int
account_load(struct account *a)
{
	struct backend_txn *b;
	struct slice value;
	struct txn *t = NULL;
	uint32_t day = 0;
	struct key k;
	int	r;

	/* is there a record at all? A writing transaction insists on it. */
	if ((r = backend_begin(a->backend, false, &b)) < 0)
		return r;
	key_1(&k, KEY_ACCOUNT);
	r = backend_get(b, key_slice(&k), &value);
	backend_abort(&b);
	if (r == 0)
		r = txn_begin(a, true, &t);
	if (r < 0)
		return r;
	if ((r = load_day(t, &day)) < 0) {
		txn_abort(&t);
		return r;
	}
	a->day = day;
	a->id = slice_dup(t->rec.id);
	a->modseq = t->rec.modseq;
	a->quota = (struct account_quota){ t->rec.used_bytes,
		t->rec.used_count, t->rec.limit_bytes, t->rec.limit_count };
	txn_abort(&t);
	return 0;
}

/* account_is_blank - was nothing ever written? Else the record that is missing
 * has been lost, and a new account must not be made around what is left */
static int
account_is_blank(struct account *a)
{
	struct backend_range *range;
	struct backend_txn *b;
	struct slice key, value;
	int	r;

	if ((r = backend_begin(a->backend, false, &b)) < 0)
		return r;
	r = backend_range(b, SLICE_EMPTY, SLICE_EMPTY, false, &range);
	if (r == 0) {
		r = backend_next(range, &key, &value);
		r = r == -EBADMSG ? 0 : r < 0 ? r : r == 0;
		backend_range_end(&range);
	}
	backend_abort(&b);
	return r;
}

/* account_start - what follows when the backend is open */
static int
account_start(struct account *a)
{
	void	(*on_commit)(void *, const struct account_commit *) =
		    a->p.on_commit;
	int	r;

	a->backend->on_damage = a->p.on_damage;
	a->backend->damage_arg = a->p.arg;
	r = account_load(a);
	if (r != -ENOENT || !a->p.create)
		return r;
	if ((r = account_is_blank(a)) <= 0)
		return r == 0 ? -EBADMSG : r;
	if (a->p.id.len > ACCOUNT_ID_MAX)
		return -ENAMETOOLONG;
	/* nobody knows this account yet who could be told */
	a->p.on_commit = NULL;
	r = account_make(a);
	a->p.on_commit = on_commit;
	if (r < 0)
		return r;
	return account_load(a);
}

/*
 * has_lost - -ENOENT if there is mail without the environment that it was in:
 * a new one must not be put in its place. Empty folders, or an environment
 * under its first name, are what a making leaves that was cut short.
 */
static int
has_lost(struct account *a)
{
	uint32_t	pack;
	int64_t		when;
	int		r = packfile_next(a->dir, 0, &pack);

	if (r == -ENOENT)
		r = snap_time(a, &when);
	return r == -ENOENT ? 0 : r == 0 ? -ENOENT : r;
}

/* account_lock_folder - make it if that is wanted, open and lock it */
static int
account_lock_folder(struct account *a, const char *folder)
{
	bool	made = a->p.create && mkdir(folder, 0700) == 0;
	struct stat st;
	int	r;

	if (a->p.create && !made && errno != EEXIST)
		return -errno;
	a->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->dir < 0)
		return -errno;
	if (made && (r = folder_sync(a->dir, "..")) < 0)
		return r;
	while (flock(a->dir, LOCK_EX | (a->p.wait_lock ? 0 : LOCK_NB)) < 0) {
		if (errno == EWOULDBLOCK)
			return -EBUSY;
		if (errno != EINTR)
			return -errno;
	}
	/* without create nothing may be made in a folder that is no account */
	if (fstatat(a->dir, "meta.mdb", &st, 0) < 0)
		return a->p.create && errno == ENOENT ? has_lost(a) : -errno;
	return 0;
}

/* account_open - a folder */
int
account_open(const char *folder, const struct account_params *p,
    struct account **ret_account)
{
	struct account *a = account_new(p);
	int	r = account_lock_folder(a, folder);

	if (r == 0 && a->p.big.put == NULL && a->p.big.open == NULL)
		bigfile_use(a);
	if (r == 0)
		r = backend_lmdb_open(folder, a->p.map_size, &a->backend);
	if (r == 0)
		r = account_start(a);
	if (r < 0)
		account_close(&a);
	else
		*ret_account = a;
	return r;
}

/* account_open_backend - another backend */
int
account_open_backend(struct backend **b, const struct account_params *p,
    struct account **ret_account)
{
	struct account *a = account_new(p);
	int	r;

	a->backend = *b;
	*b = NULL;
	r = account_start(a);
	if (r < 0)
		account_close(&a);
	else
		*ret_account = a;
	return r;
}

/* account_id - as given at creation */
struct slice
account_id(const struct account *a)
{
	return slice_of(a->id);
}

/* account_modseq - of the newest commit */
uint64_t
account_modseq(const struct account *a)
{
	return a->modseq;
}

/* account_get_quota - the published copy */
void
account_get_quota(struct account *a, struct account_quota *ret_quota)
{
	pthread_mutex_lock(&a->lock);
	*ret_quota = a->quota;
	pthread_mutex_unlock(&a->lock);
}

/* account_set_quota - new limits */
int
account_set_quota(struct account *a, uint64_t limit_bytes,
    uint64_t limit_count)
{
	struct txn *t = NULL;
	int	r;

	if ((r = txn_begin(a, true, &t)) < 0)
		return r;
	if (t->rec.limit_bytes != limit_bytes ||
	    t->rec.limit_count != limit_count) {
		t->rec.limit_bytes = limit_bytes;
		t->rec.limit_count = limit_count;
		(void)txn_modseq(t);
	}
	return txn_finish(&t, 0);
}

/* account_sum_packs - what the packs hold */
static int
account_sum_packs(struct txn *t, struct account_stats *s)
{
	struct backend_range *range;
	struct slice key, value;
	struct pack_record rec;
	struct key all;
	int	r;

	key_1(&all, KEY_PACK);
	if ((r = txn_range(t, &all, NULL, &range)) < 0)
		return r;
	while ((r = backend_next(range, &key, &value)) == 1) {
		if ((r = pack_record_decode(value, &rec)) < 0)
			break;
		s->pack_count++;
		s->pack_live += rec.live;
		s->pack_dead += rec.end - rec.live;
	}
	backend_range_end(&range);
	return r;
}

/* account_get_stats - for the account's status */
int
account_get_stats(struct account *a, struct account_stats *ret_stats)
{
	struct account_stats s = { 0 };
	struct account_record rec;
	struct slice value;
	struct txn *t = NULL;
	struct key k;
	int	r;

	key_1(&k, KEY_ACCOUNT);
	if ((r = txn_begin(a, false, &t)) < 0 ||
	    (r = txn_get(t, &k, &value)) < 0 ||
	    (r = account_record_decode(value, &rec)) < 0 ||
	    (r = account_sum_packs(t, &s)) < 0)
		goto out;
	s.modseq = rec.modseq;
	s.used_bytes = rec.used_bytes;
	s.used_count = rec.used_count;
	s.limit_bytes = rec.limit_bytes;
	s.limit_count = rec.limit_count;
	s.unpacked_bytes = rec.unpacked_bytes;
out:
	txn_abort(&t);
	if (r == 0)
		r = backend_get_stats(a->backend, &s.backend);
	if (r == 0)
		*ret_stats = s;
	return r;
}

/* account_keywords - the keyword table, copied */
int
account_keywords(struct account *a, struct arena *arena,
    struct slice **ret_names, size_t *ret_count)
{
	struct keyword_table *table;
	struct slice *names;
	struct txn *t = NULL;
	int	r;

	if ((r = txn_begin(a, false, &t)) < 0 ||
	    (r = txn_keywords(t, &table)) < 0)
		goto out;
	names = ARENA_ARRAY(arena, struct slice, (size_t)table->count + 1);
	for (size_t i = 0; i < table->count; i++)
		names[i] = arena_dup(arena, table->name[i]);
	*ret_names = names;
	*ret_count = table->count;
out:
	txn_abort(&t);
	return r;
}
