/* SPDX-License-Identifier: ISC */
/* One table for addresses and user names; a letter in the key tells them
 * apart. An entry that somebody waits in is not forgotten. */
#include "authd/failures.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "libutil/alloc.h"

#define NAME_MAX_KEPT	320

struct entry {
	struct list	link;
	int64_t		last;
	unsigned	count;
	unsigned	waiting;
	size_t		name_len;
	char		name[];
};

struct key {
	size_t	len;
	char	bytes[NAME_MAX_KEPT + 1];
};

/* key_slice - lends its bytes */
static struct slice
key_slice(const struct key *k)
{
	return slice_over(k->bytes, k->len);
}

/* key_make - a letter and a name */
static void
key_make(struct key *k, char kind, struct slice name)
{
	name = slice_sub(name, 0, NAME_MAX_KEPT);
	k->bytes[0] = kind;
	if (name.len > 0)
		memcpy(k->bytes + 1, name.data, name.len);
	k->len = 1 + name.len;
}

/* key_client - an address, or the first half of one of IPv6 */
static void
key_client(struct key *k, struct slice client)
{
	char			text[64];
	unsigned char		address[16];

	if (client.len < sizeof(text)) {
		memcpy(text, client.len > 0 ? client.data : "", client.len);
		text[client.len] = '\0';
		if (inet_pton(AF_INET6, text, address) == 1) {
			key_make(k, '6', slice_over(address, 8));
			return;
		}
	}
	key_make(k, '4', client);
}

/* failures_init - empty */
void
failures_init(struct failures *f)
{
	*f = (struct failures){ .by_name = HASH_INIT };
	list_init(&f->recent);
}

/* drop - forget an entry */
static void
drop(struct failures *f, struct entry *e)
{
	(void)hash_remove(&f->by_name, slice_over(e->name, e->name_len));
	list_remove(&e->link);
	f->count--;
	free(e);
}

/* failures_free - forget all */
void
failures_free(struct failures *f)
{
	while (!list_is_empty(&f->recent))
		drop(f, CONTAINER_OF(f->recent.next, struct entry, link));
	hash_free(&f->by_name);
}

/* make_room - for one more */
static void
make_room(struct failures *f)
{
	LIST_EACH_SAFE(&f->recent, link) {
		struct entry *e = CONTAINER_OF(link, struct entry, link);

		if (f->count < FAILURES_MAX)
			return;
		if (e->waiting == 0)
			drop(f, e);
	}
}

/* entry_get - the entry of a name, made if need be */
static struct entry *
entry_get(struct failures *f, const struct key *k)
{
	struct entry *e = hash_get(&f->by_name, key_slice(k));

	if (e != NULL)
		return e;
	make_room(f);
	e = xcalloc(1, sizeof(*e) + k->len);
	e->name_len = k->len;
	memcpy(e->name, k->bytes, k->len);
	(void)hash_put(&f->by_name, key_slice(k), e);	/* was not */
	list_add_tail(&f->recent, &e->link);
	f->count++;
	return e;
}

/* delay_of - what one entry asks for */
static int64_t
delay_of(const struct failures *f, const struct failures_rules *r,
    const struct key *k, int64_t now)
{
	const struct entry	*e = hash_get(&f->by_name, key_slice(k));
	int64_t			 delay = r->delay;

	if (e == NULL || e->count < r->threshold || now - e->last >= r->ttl)
		return 0;
	for (unsigned n = e->count - r->threshold; n > 0 &&
	    delay < r->delay_max; n--)
		delay *= 2;
	return delay < r->delay_max ? delay : r->delay_max;
}

/* failures_delay - the longer of both */
int64_t
failures_delay(const struct failures *f, const struct failures_rules *r,
    struct slice client, struct slice login, int64_t now)
{
	struct key	k;
	int64_t		a = 0, b;

	if (client.len > 0) {
		key_client(&k, client);
		a = delay_of(f, r, &k, now);
	}
	key_make(&k, 'n', login);
	b = delay_of(f, r, &k, now);
	return a > b ? a : b;
}

/* add - one more of that name */
static void
add(struct failures *f, const struct failures_rules *r, const struct key *k,
    int64_t now)
{
	struct entry *e = entry_get(f, k);

	if (now - e->last >= r->ttl)
		e->count = 0;
	e->last = now;
	if (e->count < UINT32_MAX)
		e->count++;
	list_remove(&e->link);
	list_add_tail(&f->recent, &e->link);
}

/* failures_add - one more for both */
void
failures_add(struct failures *f, const struct failures_rules *r,
    struct slice client, struct slice login, int64_t now)
{
	struct key	k;

	if (client.len > 0) {
		key_client(&k, client);
		add(f, r, &k, now);
	}
	key_make(&k, 'n', login);
	add(f, r, &k, now);
}

/* failures_forget_login - the count of a user name begins anew */
void
failures_forget_login(struct failures *f, struct slice login)
{
	struct key	 k;
	struct entry	*e;

	key_make(&k, 'n', login);
	e = hash_get(&f->by_name, key_slice(&k));
	if (e != NULL)
		drop(f, e);
}

/* failures_wait_begin - one more waits */
bool
failures_wait_begin(struct failures *f, const struct failures_rules *r,
    struct slice client, int64_t now)
{
	struct key	 k;
	struct entry	*e;
	bool		 failed;

	if (client.len == 0)
		return true;
	key_client(&k, client);
	e = entry_get(f, &k);
	failed = e->count > 0 && now - e->last < r->ttl;
	if (e->waiting >= (failed ? FAILURES_WAITING_MAX :
	    FAILURES_WAITING_CLEAN))
		return false;
	e->waiting++;
	return true;
}

/* failures_wait_end - one less; who never failed is not remembered */
void
failures_wait_end(struct failures *f, struct slice client)
{
	struct key	 k;
	struct entry	*e;

	if (client.len == 0)
		return;
	key_client(&k, client);
	e = hash_get(&f->by_name, key_slice(&k));
	if (e != NULL && e->waiting > 0 && --e->waiting == 0 && e->count == 0)
		drop(f, e);
}
