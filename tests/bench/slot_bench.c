/* SPDX-License-Identifier: ISC */
/*
 * slot_bench: how many messages a second are made durable in queue slots, by
 * 1, 8 and 32 writers at once, each a thread with slots of its own, as
 * cleanup's workers have; beside it a new file for each message (create, write,
 * fsync, unlink of an old one), and commits of the queue's state by batch size.
 * Give a folder on the disk to measure, and seconds a case (default 2).
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libglobal/qstate.h"
#include "libglobal/slot.h"
#include "libutil/alloc.h"

#define MESSAGE_SIZE	(5632 - 300)	/* 5.5 KiB with the envelope */
#define ENVELOPE_SIZE	300
#define WRITERS_MAX	32
#define SLOTS_EACH	16
#define FILES_KEPT	50

struct writer {
	pthread_t	thread;
	int		queue_fd;
	uint32_t	number;
	double		until;
	size_t		commits;
};

static char	content[MESSAGE_SIZE], envelope[ENVELOPE_SIZE];

/* now - seconds of a clock that only goes forward */
static double
now(void)
{
	struct timespec	t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* must - end if something failed */
static void
must(int r, const char *what)
{
	if (r < 0)
		fatal("%s: %s", what, strerror(-r));
}

/* write_slots - commit into own slots in turn, until the time is up */
static void *
write_slots(void *arg)
{
	struct writer	       *w = arg;
	struct queue_id_source	source = QUEUE_ID_SOURCE(w->number + 1);
	const struct slot_piece	piece = SLOT_PIECE_BYTES(slice_over(content,
				    sizeof(content)));
	struct slot_message	m = { .envelope = slice_over(envelope,
				    sizeof(envelope)), .piece = &piece,
				    .piece_count = 1 };
	struct slot_ref		ref = { SLOT_SMALL, 0 };
	int			fds[SLOTS_EACH];

	for (uint32_t i = 0; i < SLOTS_EACH; i++) {
		ref.number = w->number * SLOTS_EACH + i;
		must(slot_open_write(w->queue_fd, ref, &fds[i]), "open");
	}
	while (now() < w->until) {
		uint32_t	i = (uint32_t)(w->commits % SLOTS_EACH);

		ref.number = w->number * SLOTS_EACH + i;
		m.id = queue_id_make(&source, 1700000000, 0);
		m.generation = ++w->commits;
		must(slot_commit(fds[i], ref, &m), "commit");
	}
	for (size_t i = 0; i < SLOTS_EACH; i++)
		close(fds[i]);
	return NULL;
}

/* file_name - a name for a writer's n-th file */
static const char *
file_name(char out[40], const struct writer *w, size_t n)
{
	(void)snprintf(out, 40, "files/%u.%zu", w->number, n);
	return out;
}

/* write_files - a new file each, the oldest of FILES_KEPT unlinked */
static void *
write_files(void *arg)
{
	struct writer	*w = arg;
	char		 name[40];
	int		 fd;

	for (; now() < w->until; w->commits++) {
		fd = openat(w->queue_fd, file_name(name, w, w->commits),
		    O_CREAT | O_EXCL | O_WRONLY, 0600);
		if (fd < 0 || write(fd, content, sizeof(content)) < 0 ||
		    write(fd, envelope, sizeof(envelope)) < 0 || fsync(fd) < 0)
			must(-errno, name);
		close(fd);
		if (w->commits >= FILES_KEPT)
			(void)unlinkat(w->queue_fd, file_name(name, w,
			    w->commits - FILES_KEPT), 0);
	}
	for (size_t i = 1; i <= FILES_KEPT && i <= w->commits; i++)
		(void)unlinkat(w->queue_fd, file_name(name, w,
		    w->commits - i), 0);
	return NULL;
}

/* measure - that many threads at once */
static void
measure(const char *what, int queue_fd, size_t count, double seconds,
    void *(*run)(void *))
{
	struct writer	w[WRITERS_MAX];
	double		begin = now();
	size_t		total = 0;

	for (size_t i = 0; i < count; i++) {
		w[i] = (struct writer){ .queue_fd = queue_fd,
		    .number = (uint32_t)i, .until = begin + seconds };
		must(-pthread_create(&w[i].thread, NULL, run, &w[i]),
		    "thread");
	}
	for (size_t i = 0; i < count; i++) {
		pthread_join(w[i].thread, NULL);
		total += w[i].commits;
	}
	printf("%-28s %3zu writers %9.0f/s\n", what, count,
	    (double)total / (now() - begin));
	fflush(stdout);
}

/* measure_state - deferrals a second, by changes in one transaction */
static void
measure_state(int queue_fd, size_t batch, double seconds)
{
	struct queue_id_source	source = QUEUE_ID_SOURCE(1);
	struct qstate_batch    *b = qstate_batch_new();
	double			begin;
	struct qstate_message	m = { .queue = QSTATE_DEFERRED,
				    .place = QUEUE_PLACE_IN_LARGE,
				    .sender = S("sender@example.org"),
				    .reason = S("connection refused") };
	struct qstate_rcpt	r = { .address = S("rcpt@example.net"),
				    .site = S("example.net"),
				    .reason = S("connection refused") };
	struct qstate	       *s;
	size_t			total = 0;

	must(qstate_open(queue_fd, QSTATE_MAP_SIZE_DEFAULT, &s), "state");
	for (begin = now(); now() - begin < seconds; total += batch) {
		for (size_t i = 0; i < batch; i++) {
			m.id = queue_id_make(&source, 1700000000, 0);
			m.next = (int64_t)(total + i) * 7919 % 1000003;
			qstate_batch_message(b, &m);
			qstate_batch_rcpt(b, &m.id, &r);
		}
		must(qstate_commit(s, b), "commit");
		qstate_batch_reset(b);
	}
	printf("%-28s %3zu a commit %9.0f/s (%zu kept)\n",
	    "deferred messages in state", batch,
	    (double)total / (now() - begin), total);
	qstate_batch_free(&b);
	qstate_close(&s);
}

int
main(int argc, char **argv)
{
	static const size_t	writers[] = { 1, 8, 32 };
	static const size_t	batches[] = { 1, 32, 1000 };
	const struct queue_owner self = QUEUE_OWNER_SELF;
	uint32_t		numbers[WRITERS_MAX * SLOTS_EACH];
	double			seconds;
	int			fd;

	if (argc < 2)
		fatal("usage: slot_bench FOLDER [SECONDS]");
	seconds = argc > 2 ? strtod(argv[2], NULL) : 2;
	if (mkdir(argv[1], 0700) < 0 && errno != EEXIST)
		must(-errno, argv[1]);
	if ((fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		must(-errno, argv[1]);
	must(queue_folders_make(fd, &self, NULL), "folders");
	(void)mkdirat(fd, "files", 0700);
	for (uint32_t i = 0; i < COUNT(numbers); i++)
		numbers[i] = i;
	must(slot_grow(fd, SLOT_SMALL, numbers, COUNT(numbers)), "grow");
	memset(content, 'c', sizeof(content));
	for (size_t i = 0; i < COUNT(writers); i++) {
		measure("slot: pwritev + fdatasync", fd, writers[i], seconds,
		    write_slots);
		measure("file: create, fsync, unlink", fd, writers[i], seconds,
		    write_files);
	}
	for (size_t i = 0; i < COUNT(batches); i++)
		measure_state(fd, batches[i], seconds);
	close(fd);
	return 0;
}
