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
/* print all entries of a kind: "account", "domain", "alias" */
int	change_list(struct tool *tool, const char *kind);

#endif
