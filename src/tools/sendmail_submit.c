/* SPDX-License-Identifier: ISC */
/*
 * A message to postdrop, which alone may write to the drop folder. It runs as
 * a child; what it answers is what the user hears.
 */
#include "tools/sendmail.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libtask/io.h"
#include "libutil/buf.h"
#include "libutil/number.h"
#include "tools/tables.h"

#define ANSWER_MAX	1024

struct child {
	pid_t	pid;
	int	to;		/* its input */
	int	from;		/* its output */
};

/* exec_postdrop - in the child */
static void
exec_postdrop(const char *program, const char *folder, int in, int out)
{
	const char *argv[] = { "postdrop", "-c", folder, NULL };

	/* -c only where need be: postdrop trusts few folders */
	if (strcmp(folder, BARID_CONFIG_DIRECTORY) == 0)
		argv[1] = NULL;
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		_exit(127);
	(void)execv(program, (char *const *)(uintptr_t)argv);
	dprintf(STDERR_FILENO, "sendmail: cannot run %s: %s\n", program,
	    strerror(errno));
	_exit(127);
}

/* begin - start postdrop */
static int
begin(struct sendmail *s, struct child *c)
{
	const char	*program = arena_printf(&s->tool->arena, "%s/postdrop",
			    tool_value(s->tool, "daemon_directory")).data;
	int		 in[2] = { -1, -1 }, out[2] = { -1, -1 }, r = 0;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 ||
	    (c->pid = fork()) < 0)
		r = -errno;
	else if (c->pid == 0)
		exec_postdrop(program, s->tool->config_directory, in[0],
		    out[1]);
	fd_close(&in[0]);
	fd_close(&out[1]);
	c->to = in[1];
	c->from = out[0];
	return r;
}

/* write_all - to postdrop; false when it does not listen any more */
static bool
write_all(int fd, struct slice s)
{
	while (s.len > 0) {
		ssize_t n = write(fd, s.data, s.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		s = slice_from(s, (size_t)n);
	}
	return true;
}

/* piece - one piece of the conversation */
static bool
piece(const struct child *c, struct slice s)
{
	struct buf	head = BUF_INIT;
	bool		ok;

	buf_add_le32(&head, (uint32_t)s.len);
	ok = write_all(c->to, buf_slice(&head)) && write_all(c->to, s);
	buf_free(&head);
	return ok;
}

/* wire_size - of a run of the message, whose bare LF become CRLF */
static uint64_t
wire_size(struct slice s, char *last)
{
	uint64_t size = s.len;

	for (size_t i = 0; i < s.len; i++) {
		size += s.data[i] == '\n' && *last != '\r';
		*last = s.data[i];
	}
	return size;
}

/* sendmail_limit - as pickup sees it, which looks again */
uint64_t
sendmail_limit(struct sendmail *s, const char *param)
{
	const struct param_table	*t = tables_params_of(S("pickup"))->table;
	const char			*text = tool_value(s->tool, param);
	uint64_t			 n = 0;

	for (size_t i = 0; text[0] == '\0' && i < t->count; i++)
		if (strcmp(t->params[i].name, param) == 0)
			text = t->params[i].dflt;
	ignore(number_parse_size(slice_of(text), &n));	/* barid check tells */
	return n;
}

/* send_content - all of it, in pieces, and the end. 0; 1 when postdrop does
 * not listen any more; or why there is no end */
static int
send_content(struct sendmail *s, const struct child *c, sendmail_more_fn *more,
    void *arg)
{
	struct buf	b = BUF_INIT;
	uint64_t	size = 0;
	uint64_t	max = sendmail_limit(s,
			    "message_size_limit");
	char		last = '\0';
	int		r = 1;
	bool		ok = true;

	while (r > 0 && ok) {
		buf_reset(&b);
		if ((r = more(arg, &b)) < 0)
			break;
		size += wire_size(buf_slice(&b), &last);
		if (max != 0 && size > max)
			r = -EFBIG;
		for (size_t at = 0; at < b.len && ok && r >= 0;
		    at += DROP_PIECE_MAX)
			ok = piece(c, slice_sub(buf_slice(&b), at,
			    DROP_PIECE_MAX));
	}
	buf_free(&b);
	if (r == 0 && ok)
		ok = piece(c, SLICE_EMPTY);
	return r < 0 ? r : !ok;
}

/* read_answer - its one line */
static int
read_answer(const struct child *c, struct status *ret_status)
{
	char	line[ANSWER_MAX];
	size_t	len = 0;
	ssize_t	n;

	while (len < sizeof(line) && (n = read(c->from, line + len,
	    sizeof(line) - len)) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		len += n < 0 ? 0 : (size_t)n;
	}
	return status_parse(slice_trim(slice_over(line, len)), ret_status);
}

/* talk - with a postdrop that runs */
static void
talk(struct sendmail *s, struct child *c, sendmail_more_fn *more, void *arg,
    struct status *ret_status)
{
	struct buf	envelope = BUF_INIT;
	int		r;

	r = ipc_pack(&msg_drop_desc, &s->drop, &envelope);
	if (r == 0 && envelope.len > DROP_ENVELOPE_MAX)
		r = -EMSGSIZE;
	if (r == 0 && piece(c, buf_slice(&envelope)))
		r = send_content(s, c, more, arg);
	buf_free(&envelope);
	fd_close(&c->to);
	if (r == -EFBIG)
		*ret_status = status_make(552, "5.3.4",
		    "message file too big");
	else if (r == -EMSGSIZE)
		*ret_status = status_make(554, "5.5.3", "too many or too long "
		    "recipients");
	else if (r < 0)
		*ret_status = status_make(451, "4.3.0",
		    "cannot read the message: %s", strerror(-r));
	else if (read_answer(c, ret_status) < 0)
		*ret_status = status_make(451, "4.3.5",
		    "postdrop ended without an answer");
}

/* sendmail_submit - hand it over */
void
sendmail_submit(struct sendmail *s, sendmail_more_fn *more, void *arg,
    struct status *ret_status)
{
	struct child	c = { .pid = -1 };
	int		r = begin(s, &c);

	if (r == 0)
		talk(s, &c, more, arg, ret_status);
	else
		*ret_status = status_make(451, "4.3.0",
		    "cannot run postdrop: %s", strerror(-r));
	fd_close(&c.to);
	fd_close(&c.from);
	while (r == 0 && waitpid(c.pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}
