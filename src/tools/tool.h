/* SPDX-License-Identifier: ISC */
/*
 * tool: what the barid command's verbs share: where the configuration is, how
 * errors are said, how a tool reaches the running suite, and who it is.
 */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include <sys/types.h>

#include "libglobal/mastercf.h"
#include "libtask/ipc.h"
#include "libutil/arena.h"
#include "libutil/diag.h"

/* exit statuses: of Postfix's tools, and of sysexits.h for sendmail */
enum tool_exit {
	TOOL_OK = 0,
	TOOL_FAILED = 1,
	TOOL_USAGE = 2,
};

struct tool {
	const char	*name;		/* as it was called: "barid account" */
	const char	*noun;		/* as in verbs.def; NULL: a tool of */
	const char	*verb;		/* Postfix's */
	const char	*config_directory;
	struct arena	 arena;		/* lives as long as the command */
	struct conf	*defaults;
	struct conf	*conf;		/* main.cf; NULL: not read yet */
	struct mastercf	 cf;
	bool		 json;		/* --json */
	const char	*purpose;	/* "mailq", "flush": all that is wanted
					 * of the suite; NULL: anything */
};

typedef int	tool_verb(struct tool *tool, int argc, char **argv);

/* say what is wrong on standard error, "name: text"; returns TOOL_FAILED */
int	tool_fail(const struct tool *tool, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));
/* the same for a finding */
int	tool_fail_diag(const struct tool *tool, const struct diag *diag);
/* the same for a wrong command line; returns TOOL_USAGE */
int	tool_usage(const struct tool *tool, const char *text);
void	tool_warn(const struct tool *tool, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));
void	tool_done(struct tool *tool);

/* --- tool_conf.c: the configuration */
/* have it read; says what is wrong itself. 0 or an exit status */
MUST_USE int	tool_conf(struct tool *tool);
/* an expanded value, in the tool's arena; "" if it is defined nowhere */
const char	*tool_value(struct tool *tool, const char *param);
/* where that file's text is kept, and the text */
MUST_USE int	tool_read_file(struct tool *tool, const char *path,
		    struct slice *ret_text);
/* put a text in the place of a file: it appears whole or not at all, and is
 * durable; keeps mode and owner. Says what is wrong itself. */
MUST_USE int	tool_write_file(struct tool *tool, const char *path,
		    struct slice text);

/* --- tool_call.c: the running suite. These may suspend. */
/* run fn on a loop of its own */
int	tool_run(task_fn *fn, void *arg);
typedef int	tool_talk_fn(struct task *t, struct ipc_conn *c, void *arg);
/* connect to master and talk; -ECONNREFUSED or -ENOENT: it does not run */
MUST_USE int	tool_master(struct task *t, struct tool *tool,
		    tool_talk_fn *fn, void *arg);
/* connect to a daemon and talk over that conversation; what is wrong with the
 * connection is said here and is -ECONNREFUSED */
MUST_USE int	tool_daemon(struct task *t, struct tool *tool,
		    const char *daemon, const struct ipc_table *table,
		    tool_talk_fn *fn, void *arg);
/* connect to a public socket of the queue by its name, and talk; fn receives
 * what comes itself */
MUST_USE int	tool_public(struct task *t, struct tool *tool, const char *name,
		    const struct ipc_table *table, tool_talk_fn *fn, void *arg);
/* does the suite run? -EACCES and its like: nobody can say */
int	tool_is_running(struct tool *tool);

/* --- tool_user.c: as whom daemons work */
/* as master chooses them: the daemon's own user, mail_owner, or nobody */
void	tool_user_of(struct tool *tool, const char *name, uid_t *ret_uid,
	    gid_t *ret_gid);
/* run fn in a child that has become that user, and say how it ended: its exit
 * status. Who is not root runs it as who he is. */
int	tool_as_user(struct tool *tool, uid_t uid, gid_t gid,
	    int (*fn)(struct tool *tool, void *arg), void *arg);

/* --- tool_password.c */
/* a password as crypt(5) writes it; in the tool's arena, NULL if it cannot */
const char	*tool_password_hash(struct tool *tool, const char *password);
/* ask for one on the terminal, or read a line of standard input */
MUST_USE int	tool_password_read(struct tool *tool, const char *prompt,
		    const char **ret_password);

#endif
