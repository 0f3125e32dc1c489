/* SPDX-License-Identifier: ISC */
/*
 * Lines are formatted as they come and written by one task, many at a time,
 * on a worker, so that a slow disk stops nobody. Memory is bounded: lines that
 * do not fit are counted, and the count is the next line that is written. A
 * file that was renamed away is opened anew at the next reload.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libtask/work.h"
#include "libtask/zone.h"
#include "libutil/alloc.h"
#include "libutil/calendar.h"
#include "libutil/conf.h"
#include "libutil/log_format.h"
#include "logd/logd.h"
#include "logd/logd_events.h"

#define FOLDER		"log"
#define FILE_NAME	"maillog"
#define RETRY_PAUSE	1000	/* ms after a failed write */
#define BATCH_PAUSE	20	/* ms that lines wait for others */

/* is_torn - does the file end in the middle of a line? A full disk, or the end
 * of a logd in the middle of a write, leaves one */
static bool
is_torn(const char *path)
{
	struct stat	st;
	char		last = '\n';
	int		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return false;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0 ||
	    pread(fd, &last, 1, st.st_size - 1) != 1)
		last = '\n';
	fd_close(&fd);
	return last != '\n';
}

/* open_log - open the log file by its whole path */
static int
open_log(const struct logd_params *p, const struct conf *conf)
{
	struct buf	path = BUF_INIT;
	int		fd;

	if (p->maillog_file.len > 0) {
		buf_add(&path, p->maillog_file);
	} else {
		ignore(conf_get(conf, S("data_directory"), &path, NULL));
		buf_add_text(&path, "/" FOLDER "/" FILE_NAME);
	}
	fd = open(buf_cstr(&path), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
	    O_NOCTTY, 0640);
	if (fd < 0)
		fd = -errno;
	else if (is_torn(buf_cstr(&path)))
		ignore(write(fd, "\n", 1));	/* the next lines tell */
	buf_free(&path);
	return fd;
}

/* own_sink - what logd says of itself */
static void
own_sink(void *arg, const struct log_record *record)
{
	sink_add(arg, record);
}

/* sink_open - open the log while the rights to do so are there */
int
sink_open(struct daemon *d, struct diag *diag)
{
	const struct logd_params *p = daemon_params(d);
	struct sink		 *s = NEW(struct sink);
	struct log_setup	  setup = { .program = "barid/logd",
				      .pid = getpid(), .sink = own_sink,
				      .sink_arg = s };
	char			 *dot;

	s->daemon = d;
	s->lines.max = (size_t)p->log_queue_limit;
	if (gethostname(s->host, sizeof(s->host) - 1) < 0)
		(void)snprintf(s->host, sizeof(s->host), "localhost");
	if ((dot = strchr(s->host, '.')) != NULL)
		*dot = '\0';
	s->fd = open_log(p, daemon_conf(d));
	if (s->fd < 0)
		return diag_set(diag, 0, 0, "cannot open the log file: %s",
		    strerror(-s->fd));
	daemon_set_data(d, s);
	log_start(&setup);
	return 0;
}

/* add_stamp - the time of a line; there are many in a second */
static void
add_stamp(struct sink *s, int64_t second)
{
	struct buf stamp = BUF_INIT;

	if (second != s->second || s->stamp[0] == '\0') {
		calendar_format_syslog(&stamp, second, zone_at(second));
		(void)snprintf(s->stamp, sizeof(s->stamp), "%.*s",
		    SLICE_ARG(buf_slice(&stamp)));
		s->second = second;
		buf_free(&stamp);
	}
	buf_add_text(&s->lines, s->stamp);
}

static void
format(struct sink *s, const struct log_record *record)
{
	const struct logd_params *p = daemon_params(s->daemon);

	switch (p->log_format) {
	case 1:
		log_format_logfmt(&s->lines, record);
		break;
	case 2:
		log_format_json(&s->lines, record);
		break;
	default:
		add_stamp(s, record->time_us / 1000000);
		buf_add_byte(&s->lines, ' ');
		buf_add_text(&s->lines, s->host);
		buf_add_byte(&s->lines, ' ');
		buf_add(&s->lines, record->program);
		buf_add_byte(&s->lines, '[');
		buf_add_u64(&s->lines, (uint64_t)record->pid);
		buf_add_text(&s->lines, "]: ");
		log_format_classic(&s->lines, record);
		break;
	}
	buf_add_byte(&s->lines, '\n');
}

/* sink_add - one event, to be written soon */
void
sink_add(struct sink *s, const struct log_record *record)
{
	size_t before = s->lines.len;

	format(s, record);
	if (buf_check(&s->lines) < 0) {
		s->lines.overflow = false;
		buf_truncate(&s->lines, before);	/* whole lines */
		s->lost++;
		return;
	}
	signal_set(&s->more);
}

struct write_job {
	struct slice	bytes;
	int		fd;
};

static int
write_work(void *arg)
{
	struct write_job *j = arg;

	while (j->bytes.len > 0) {
		ssize_t n = write(j->fd, j->bytes.data, j->bytes.len);

		if (n < 0 && errno != EINTR)
			return -errno;
		j->bytes = slice_from(j->bytes, n < 0 ? 0 : (size_t)n);
	}
	return 0;
}

/* put_back - the rest of a batch in front of what came meanwhile; of that, the
 * last lines are lost if both do not fit */
static void
put_back(struct sink *s, struct slice batch)
{
	struct buf	rest = BUF_INIT_MAX(s->lines.max);
	struct slice	later = buf_slice(&s->lines), line;
	size_t		end;

	buf_add(&rest, batch);
	while ((end = slice_find(later, '\n')) != SLICE_NONE) {
		line = slice_sub(later, 0, end + 1);
		later = slice_from(later, end + 1);
		if (rest.len + line.len <= rest.max)
			buf_add(&rest, line);
		else
			s->lost++;
	}
	buf_free(&s->lines);
	s->lines = rest;
}

/* write_lines - write what there is; what cannot be written is kept */
static int
write_lines(struct task *t, struct sink *s)
{
	struct buf	 batch = s->lines;
	struct write_job j = { buf_slice(&batch), s->fd };
	int		 r;

	s->lines = (struct buf)BUF_INIT_MAX(batch.max);
	r = work_run(t, write_work, &j);
	if (r < 0 && r != -ECANCELED)
		put_back(s, j.bytes);
	buf_free(&batch);
	return r;
}

/* tell_lost - say how many lines are missing, now that there is room */
static void
tell_lost(struct sink *s)
{
	uint64_t lost = s->lost;

	if (lost == 0)
		return;
	s->lost = 0;
	log_event(daemon_log(s->daemon), EV_LOGD_DROPPED,
	    KV_UINT("count", lost));
	if (s->lost > 0)
		s->lost = lost;		/* no room for this line either */
}

/* last_words - write what waits; what cannot be written is told elsewhere */
static void
last_words(struct task *t, struct sink *s)
{
	tell_lost(s);
	if (s->lines.len > 0 && write_lines(t, s) < 0 && s->lines.len > 0)
		(void)fprintf(stderr, "barid/logd: the last %zu bytes of the "
		    "log could not be written\n", s->lines.len);
}

/* sink_run - write lines as they come */
int
sink_run(struct task *t, struct daemon *d)
{
	struct sink	*s = daemon_data(d);
	struct deadline	 last;
	int		 r = 0;

	while (r == 0 && (r = signal_wait(t, &s->more)) == 0 &&
	    (r = task_sleep(t, BATCH_PAUSE)) == 0) {
		if ((r = write_lines(t, s)) == 0) {
			s->failing = false;
			tell_lost(s);
			continue;
		}
		if (r == -ECANCELED)
			break;
		if (!s->failing)
			log_event(daemon_log(d), EV_LOGD_WRITE, KV_ERR("why", r));
		s->failing = true;
		r = task_sleep(t, RETRY_PAUSE);
		signal_set(&s->more);
	}
	shield_begin(t, &last, RETRY_PAUSE);
	last_words(t, s);
	ignore(shield_end(t, &last, 0));
	return r;
}

/* sink_reload - open the file anew; the sandbox shows its folder as the root */
int
sink_reload(struct task *t, struct daemon *d)
{
	const struct logd_params *p = daemon_params(d);
	struct sink		 *s = daemon_data(d);
	int			  fd;

	(void)t;
	if (p->maillog_file.len > 0)
		return 0;
	fd = open("/" FILE_NAME, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (fd >= 0) {
		fd_close(&s->fd);
		s->fd = fd;
	}
	return 0;
}
