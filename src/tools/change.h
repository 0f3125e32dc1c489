/* SPDX-License-Identifier: ISC */
/*
 * change: edits and lists of the accounts database, through authd while the
 * suite runs, and in the file itself, as authd's user, while it does not.
 */
#ifndef TOOLS_CHANGE_H
#define TOOLS_CHANGE_H

#include "tools/tool.h"

struct change {
	const char	*verb;		/* of accounts_verbs.def */
	const char	*name;		/* address or domain */
	const char	*value;		/* as that verb wants it */
};

/* make the changes in their order, up to the first that fails. Says what is
 * wrong itself; an exit status. */
int	change_make(struct tool *tool, const struct change *changes,
	    size_t count);
/* the same, over an open conversation with authd; 0 or a negative errno */
MUST_USE int	change_send(struct task *t, struct ipc_conn *authd,
		    struct tool *tool, const struct change *changes,
		    size_t count);
/* the arguments NAME VALUE ... of a verb whose value is a line each */
int	change_targets(struct tool *tool, int argc, char **argv,
	    const char *verb);

/* --- change_list.c. An exit status each. */
/* print all entries of a kind: "account", "domain", "alias", "group",
 * "shared" */
int	change_list(struct tool *tool, const char *kind);
/* the one of that name */
int	change_show(struct tool *tool, const char *kind, const char *name);
/* the members of that group or shared account, a line each */
int	change_members(struct tool *tool, const char *kind, const char *name);

/* --- for who only reads: the database in its file, while the suite is stopped */
struct accounts;
/* where it is */
const char	*change_folder(struct tool *tool);
/* run fn on the folder of the database as who owns it */
int	change_in_file(struct tool *tool,
	    int (*fn)(struct tool *tool, void *arg), void *arg);
/* open it there; says itself what is wrong, but for -ENOENT when reading */
MUST_USE int	change_open(struct tool *tool, bool to_read,
		    struct accounts **ret_accounts);

#endif
