/* SPDX-License-Identifier: ISC */
/*
 * Deliveries into accounts: messages a second, device flushes a message, and
 * what reading them back costs.
 *
 *	store_bench FOLDER ACCOUNTS MESSAGES [SIZE [BATCH]]
 *
 * One thread an account; each delivers its messages in batches (default 1) of
 * SIZE bytes (default 4096) into INBOX, one commit a batch.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "libstore/account.h"
#include "libstore/body.h"
#include "libstore/mailbox.h"
#include "libstore/message.h"
#include "libstore/pack.h"
#include "libstore/view.h"
#include "libutil/alloc.h"

#define BATCH_MAX	100

struct worker {
	pthread_t	 thread;
	char		 folder[400];
	struct account	*account;
	unsigned	 messages;
	unsigned	 batch;
	size_t		 size;
};

/* seconds - of a clock */
static double
seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* fill - a message with text like mail's, other for each number */
static struct slice
fill(char *bytes, size_t size, unsigned number)
{
	size_t	n = (size_t)snprintf(bytes, size,
	    "From: a@example.org\r\nTo: b@example.org\r\n"
	    "Subject: message %u\r\n\r\n", number);
	uint32_t x = number * 2654435761u + 1;

	while (n < size) {
		x = x * 1103515245 + 12345;
		bytes[n++] = (x >> 16) % 11 == 0 ? ' ' :
		    (char)('a' + (x >> 20) % 26);
	}
	return slice_over(bytes, size);
}

/* work - one account's deliveries */
static void *
work(void *arg)
{
	struct worker *w = arg;
	struct deliver_message m[BATCH_MAX];
	struct deliver_place place[BATCH_MAX];
	char	*bytes = xmalloc(w->size * w->batch + 200);
	char	ids[BATCH_MAX][64];
	char	cache[700];

	memset(cache, 'c', sizeof(cache));
	for (unsigned at = 0; at < w->messages; at += w->batch) {
		for (unsigned i = 0; i < w->batch; i++) {
			int	n = snprintf(ids[i], sizeof(ids[i]),
			    "%u.%p@example.org", at + i, (void *)w);

			place[i] = (struct deliver_place){ .mailbox = 1 };
			m[i] = (struct deliver_message){
				.prefix = S("Received: from localhost by "
				    "example.org; Sun, 22 Nov 2026 04:00:00 "
				    "+0000\r\n"),
				.content = fill(bytes + i * w->size, w->size,
				    at + i),
				.facts = { .message_id = slice_over(ids[i],
				    (size_t)n), .from = S("a@example.org"),
				    .to = S("b@example.org"),
				    .subject = S("message"),
				    .cache_version = 1,
				    .cache = slice_over(cache, 700) },
				.has_delivery_id = true,
				.places = &place[i], .place_count = 1 };
			memcpy(m[i].delivery_id, ids[i], DELIVERY_ID_LEN);
		}
		if (message_deliver(w->account, m, w->batch, 0) < 0)
			fatal("a delivery failed");
	}
	free(bytes);
	return NULL;
}

/* open_all - fresh accounts below the folder */
static void
open_all(struct worker *w, unsigned n, const char *folder)
{
	struct account_params p = { .create = true, .id = S("bench") };

	for (unsigned i = 0; i < n; i++) {
		snprintf(w[i].folder, sizeof(w[i].folder), "%s/account%u",
		    folder, i);
		if (account_open(w[i].folder, &p, &w[i].account) < 0)
			fatal("cannot open %s", w[i].folder);
	}
}

/* flushes - of all accounts together */
static uint64_t
flushes(const struct worker *w, unsigned n)
{
	struct account_stats s;
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++)
		if (account_get_stats(w[i].account, &s) == 0)
			sum += s.backend.flushes;
	return sum;
}

/* read_back - what the first account's session would do */
static void
read_back(struct account *a, const char *when)
{
	static struct message_meta metas[ACCOUNT_BATCH_MAX];
	struct arena arena = ARENA_INIT;
	struct mailbox_view *v = NULL;
	double	t0 = seconds(CLOCK_MONOTONIC), t1, t2, t3;
	uint32_t from = 1;
	uint64_t total = 0;
	size_t	n;

	if (view_open(a, 1, &v) < 0)
		fatal("no view");
	t1 = seconds(CLOCK_MONOTONIC);
	while (message_fetch(a, 1, from, UINT32_MAX, metas,
	    ACCOUNT_BATCH_MAX, &n) == 0 && n > 0) {
		total += n;
		from = metas[n - 1].uid + 1;
	}
	t2 = seconds(CLOCK_MONOTONIC);
	if (message_fetch(a, 1, 1, UINT32_MAX, metas, ACCOUNT_BATCH_MAX,
	    &n) < 0)
		fatal("no messages");
	for (size_t i = 0; i < n; i++) {
		struct body *b;
		struct slice piece;

		if (body_open(a, metas[i].email, &b) < 0 ||
		    body_peek(b, 0, 100, &piece) < 0)
			fatal("no body");
		body_close(&b);
	}
	t3 = seconds(CLOCK_MONOTONIC);
	printf("%-10s view of %u: %.3f ms; flags of %llu: %.3f ms; "
	    "%zu bodies: %.2f us each\n", when, view_count(v),
	    (t1 - t0) * 1e3, (unsigned long long)total, (t2 - t1) * 1e3, n,
	    n == 0 ? 0 : (t3 - t2) * 1e6 / (double)n);
	view_close(&v);
	arena_free(&arena);
}

int
main(int argc, char **argv)
{
	unsigned accounts = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	unsigned messages = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
	size_t	size = argc > 4 ? strtoul(argv[4], NULL, 10) : 4096;
	unsigned batch = argc > 5 ? (unsigned)strtoul(argv[5], NULL, 10) : 1;
	struct worker *w;
	double	begin, cpu, wall;
	uint64_t before;

	if (accounts == 0 || messages == 0 || batch == 0 || batch > BATCH_MAX ||
	    size < 100) {
		fprintf(stderr, "usage: store_bench FOLDER ACCOUNTS MESSAGES "
		    "[SIZE [BATCH]]\n");
		return 2;
	}
	(void)mkdir(argv[1], 0700);	/* may be there */
	w = NEW_ARRAY(struct worker, accounts);
	open_all(w, accounts, argv[1]);
	before = flushes(w, accounts);
	begin = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	for (unsigned i = 0; i < accounts; i++) {
		w[i].messages = messages;
		w[i].size = size;
		w[i].batch = batch;
		if (pthread_create(&w[i].thread, NULL, work, &w[i]) != 0)
			fatal("no thread");
	}
	for (unsigned i = 0; i < accounts; i++)
		pthread_join(w[i].thread, NULL);
	wall = seconds(CLOCK_MONOTONIC) - begin;
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	printf("%u accounts, %zu bytes, %u a commit: %.0f messages/s, %.0f us "
	    "of CPU and %.2f flushes a message\n", accounts, size, batch,
	    messages * accounts / wall, cpu * 1e6 / (messages * accounts),
	    (double)(flushes(w, accounts) - before) / messages / accounts);
	read_back(w[0].account, "unpacked");
	while (pack_run(w[0].account, 4 << 20) == 1)
		;
	read_back(w[0].account, "packed");
	for (unsigned i = 0; i < accounts; i++)
		account_close(&w[i].account);
	free(w);
	return 0;
}
