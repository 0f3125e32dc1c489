/* SPDX-License-Identifier: ISC */
/*
 * postdrop: the one program with rights in the drop folder, and so as small as
 * can be. Installed setgid, it is run by anybody with any environment,
 * descriptors, limits and input. See postdrop(1).
 */
#include "postdrop/postdrop.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "libglobal/match.h"
#include "libglobal/suite_conf.h"
#include "libtask/io.h"
#include "libutil/alloc.h"
#include "libutil/arena.h"
#include "libutil/conf.h"
#include "libutil/cursor.h"
#include "libutil/diag.h"
#include "libutil/hash.h"
#include "libutil/param.h"
#include "postdrop/postdrop_params.h"

struct postdrop {
	const char		*folder;	/* of the configuration */
	int			 folder_fd;	/* of another one; -1 */
	const char		*named;		/* as it was named with -c */
	struct arena		 arena;
	struct conf		*defaults;
	struct conf		*conf;
	struct postdrop_params	 params;
};

/* broken - a status that says what is wrong with the installation */
static struct status
broken(const struct postdrop *p, const struct diag *d)
{
	struct buf	why = BUF_INIT;
	struct slice	text;
	struct status	s;

	diag_format(&why, d);
	text = buf_slice(&why);
	if (p->folder_fd >= 0 && slice_has_prefix(text, slice_of(p->folder)))
		s = status_make(451, "4.3.5", "%s%.*s", p->named,
		    SLICE_ARG(slice_from(text, strlen(p->folder))));
	else
		s = status_make(451, "4.3.5", "%.*s", SLICE_ARG(text));
	buf_free(&why);
	return s;
}

/* tidy - nothing of the caller's environment is of use to us */
static void
tidy(void)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM,
	    SIGPIPE, SIGXFSZ, SIGTSTP };
	uint64_t	 key[2];
	int		 fd;

	do {		/* what was closed must not become our file */
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= 2);
	if (fd < 0 || close_range(3, ~0U, 0) < 0)
		exit(EX_OSERR);
	if (getauxval(AT_SECURE) != 0)
		(void)clearenv();
	(void)umask(077);
	/* its end is seen at the input: then the file is removed */
	for (size_t i = 0; i < COUNT(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	if (getrandom(key, sizeof(key), 0) == (ssize_t)sizeof(key))
		hash_set_key(key[0], key[1]);
}

/* is_roots - does it belong to root, and may nobody else change it? */
static bool
is_roots(int at, const char *name)
{
	struct stat st;

	return fstatat(at, name, &st, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) ==
	    0 && st.st_uid == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
	    (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

/* another_folder - of a configuration (-c). Who has our rights for this one
 * call could use them with a configuration of his own; one that root made he
 * can have. */
static int
another_folder(struct postdrop *p, const char *path, struct diag *d)
{
	if (getauxval(AT_SECURE) == 0) {
		p->folder = path;
		return 0;
	}
	p->folder_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p->folder_fd < 0)
		return diag_set(d, 0, 0, "%s: %s", path, strerror(errno));
	if (!is_roots(p->folder_fd, "") || !is_roots(p->folder_fd, "main.cf") ||
	    !is_roots(p->folder_fd, "master.cf"))
		return diag_set(d, 0, 0, "%s: the folder, main.cf and "
		    "master.cf must belong to root, and nobody else may write "
		    "to them", path);
	p->named = path;
	p->folder = arena_printf(&p->arena, "/proc/self/fd/%d",
	    p->folder_fd).data;
	return 0;
}

/* configure - read what there is to know */
static int
configure(struct postdrop *p, struct diag *d)
{
	struct mastercf	cf;
	int		r;

	if ((r = suite_conf_load(p->folder, &p->arena, &p->defaults, &p->conf,
	    &cf, d)) < 0)
		return r;
	return param_load(&postdrop_param_table, p->conf, &p->arena,
	    &p->params, d);
}

/* is_authorized - may this user submit? 1 or 0 */
static int
is_authorized(const struct postdrop *p, struct diag *d)
{
	struct slice		 text = p->params.authorized_submit_users;
	const struct passwd	*pw;
	struct match_list	*l = NULL;
	int			 r;

	if (getuid() == 0 || slice_equal(text, S("static:anyone")))
		return 1;
	pw = getpwuid(getuid());
	if ((r = match_list_open(text, MATCH_STRINGS, 0, d, &l)) < 0)
		return r;
	r = match_list_find(l, slice_of(pw == NULL ? "unknown" : pw->pw_name));
	match_list_close(&l);
	return r < 0 ? diag_set(d, 0, 0, "authorized_submit_users: %s",
	    strerror(-r)) : r;
}

/* enter - work in the drop folder from now on */
static int
enter(struct postdrop *p, struct diag *d)
{
	struct slice path = arena_printf(&p->arena, "%.*s/maildrop",
	    SLICE_ARG(p->params.queue_directory));

	if (chdir(path.data) == 0)
		return 0;
	if (errno == ENOENT)
		return diag_set(d, 0, 0, "there is no folder %s: the mail "
		    "system was never started", path.data);
	return diag_set(d, 0, 0, "cannot enter %s: %s%s", path.data,
	    strerror(errno), errno == EACCES ? " (postdrop must be installed "
	    "setgid, with the group of that folder)" : "");
}

/* read_all - so many bytes of the input; false: it ended before */
static bool
read_all(char *to, size_t len)
{
	while (len > 0) {
		ssize_t n = read(STDIN_FILENO, to, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		to += n;
		len -= (size_t)n;
	}
	return true;
}

/* read_piece - the next one; false: there is none, or it is too long */
static bool
read_piece(struct buf *b, size_t max)
{
	char		head[4];
	struct cursor	c = cursor_over(slice_over(head, sizeof(head)));
	uint32_t	len;

	buf_reset(b);
	if (!read_all(head, sizeof(head)) || cursor_le32(&c, &len) < 0 ||
	    len > max || !read_all(buf_room(b, len), len))
		return false;
	buf_grown(b, len);
	return true;
}

/* take - a message from the input into a file */
static void
take(const struct postdrop *p, struct status *ret_status)
{
	struct drop_writer	*w = NEW(struct drop_writer);
	struct buf		b = BUF_INIT;
	bool			whole;

	w->fd = -1;
	w->limit = p->params.message_size_limit;
	drop_begin(w);
	whole = w->refusal.code == 0 && read_piece(&b, DROP_ENVELOPE_MAX);
	if (whole)
		drop_envelope(w, buf_slice(&b));
	while (whole && w->refusal.code == 0 &&
	    (whole = read_piece(&b, DROP_PIECE_MAX)) && b.len > 0)
		drop_content(w, buf_slice(&b));
	if (whole && w->refusal.code == 0)
		drop_commit(w);
	else if (w->refusal.code == 0)
		w->refusal = status_make(501, "5.5.2",
		    "the program ended in the middle of the message");
	drop_done(w);
	if (w->refusal.code == 0)
		w->refusal = status_make(250, "2.0.0", "Ok: submitted as %s",
		    w->name);
	*ret_status = w->refusal;
	buf_free(&b);
	free(w);
}

/* wake - tell pickup; when it does not run it will look by itself */
static void
wake(void)
{
	const struct sockaddr_un to = { .sun_family = AF_UNIX,
					.sun_path = "../public/pickup" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0)
		(void)connect(fd, (const struct sockaddr *)&to, sizeof(to));
	fd_close(&fd);
}

/* enter_allowed - may this user submit, and can we? */
static void
enter_allowed(struct postdrop *p, struct status *ret_status)
{
	struct diag	d = DIAG_INIT;
	int		r;

	if ((r = configure(p, &d)) == 0 && (r = is_authorized(p, &d)) == 0) {
		*ret_status = status_make(550, "5.7.1", "user %u is not "
		    "allowed to submit mail (authorized_submit_users)",
		    (unsigned)getuid());
		return;
	}
	if (r < 0 || enter(p, &d) < 0)
		*ret_status = broken(p, &d);
}

/* options - there are few; false: they are wrong */
static bool
options(struct postdrop *p, int argc, char **argv, struct status *ret_status)
{
	struct diag	d = DIAG_INIT;
	int		c;

	while ((c = getopt(argc, argv, "c:v")) != -1) {
		if (c == '?')
			return false;
		if (c == 'c' && another_folder(p, optarg, &d) < 0)
			*ret_status = broken(p, &d);
	}
	return optind == argc;
}

/* answer - one line, and the same as a status of sysexits.h */
static int
answer(const struct status *s)
{
	struct buf line = BUF_INIT;

	status_format(&line, s);
	printf("%s\n", buf_cstr(&line));
	(void)fflush(stdout);	/* nobody may want to know */
	buf_free(&line);
	if (status_is_ok(s))
		return EX_OK;
	if (s->code < 500)
		return EX_TEMPFAIL;
	return s->code == 550 ? EX_NOPERM : EX_UNAVAILABLE;
}

int
main(int argc, char **argv)
{
	struct postdrop	p = { .folder = BARID_CONFIG_DIRECTORY,
			    .folder_fd = -1 };
	struct status	*s = NEW(struct status);
	int		 r;

	tidy();
	if (!options(&p, argc, argv, s)) {
		fprintf(stderr, "usage: postdrop [-v] [-c config_directory]\n");
		exit(EX_USAGE);
	}
	if (s->code == 0)
		enter_allowed(&p, s);
	if (s->code == 0)
		take(&p, s);
	if (s->code == 250)
		wake();
	r = answer(s);
	free(s);
	conf_free(&p.conf);
	conf_free(&p.defaults);
	arena_free(&p.arena);
	fd_close(&p.folder_fd);
	return r;
}
