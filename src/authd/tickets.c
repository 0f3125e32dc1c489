/* SPDX-License-Identifier: ISC */
/* A hash table and a list in order of age. Bytes that nobody can guess are
 * looked up in a table whose hash is keyed, so its timing tells nothing. */
#include "authd/tickets.h"

#include <stdio.h>
#include <stdlib.h>

#include "libutil/alloc.h"

struct ticket {
	struct list	link;
	unsigned char	bytes[TICKET_SIZE];
	char		account[64];
	int64_t		at;
	uint32_t	process;
};

/* tickets_init - none */
void
tickets_init(struct tickets *s)
{
	*s = (struct tickets){ .by_bytes = HASH_INIT };
	list_init(&s->recent);
}

/* drop - forget one */
static void
drop(struct tickets *s, struct ticket *k)
{
	(void)hash_remove(&s->by_bytes, slice_over(k->bytes, TICKET_SIZE));
	list_remove(&k->link);
	s->count--;
	explicit_bzero(k, sizeof(*k));
	free(k);
}

/* tickets_free - forget all */
void
tickets_free(struct tickets *s)
{
	while (!list_is_empty(&s->recent))
		drop(s, CONTAINER_OF(s->recent.next, struct ticket, link));
	hash_free(&s->by_bytes);
}

/* tickets_add - one more */
void
tickets_add(struct tickets *s, const unsigned char bytes[TICKET_SIZE],
    uint32_t process, struct slice account, int64_t now)
{
	struct ticket *k;

	while (s->count >= TICKETS_MAX)
		drop(s, CONTAINER_OF(s->recent.next, struct ticket, link));
	k = NEW(struct ticket);
	memcpy(k->bytes, bytes, TICKET_SIZE);
	(void)snprintf(k->account, sizeof(k->account), "%.*s",
	    SLICE_ARG(account));
	k->at = now;
	k->process = process;
	(void)hash_put(&s->by_bytes, slice_over(k->bytes, TICKET_SIZE), k);
	list_add_tail(&s->recent, &k->link);
	s->count++;
}

/* tickets_void - those of an account */
void
tickets_void(struct tickets *s, struct slice account)
{
	LIST_EACH_SAFE(&s->recent, link) {
		struct ticket *k = CONTAINER_OF(link, struct ticket, link);

		if (slice_equal(slice_of(k->account), account))
			drop(s, k);
	}
}

/* tickets_take - it is good once */
int
tickets_take(struct tickets *s, struct slice bytes, uint32_t process,
    int64_t now, int64_t ttl, char *ret_account, size_t size)
{
	struct ticket	*k = hash_get(&s->by_bytes, bytes);
	int		 r = 0;

	if (k == NULL)
		return -ENOENT;
	if (now - k->at >= ttl)
		r = -ETIMEDOUT;
	else if (k->process != process)
		r = -EACCES;
	else
		(void)snprintf(ret_account, size, "%s", k->account);
	drop(s, k);
	return r;
}
