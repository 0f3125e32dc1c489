/* SPDX-License-Identifier: ISC */
/* suite: starting and stopping the suite, as the verbs and localserve do. */
#ifndef TOOLS_SUITE_H
#define TOOLS_SUITE_H

#include "tools/tool.h"

/* a child that runs master; -1 and a word on standard error if it cannot.
 * It ends when its parent does. */
pid_t	suite_spawn(struct tool *tool);
/* wait until all services are ready: 0, or a word on standard error and an
 * exit status when it ends first or the milliseconds are over */
MUST_USE int	suite_wait_ready(struct tool *tool, pid_t master, int64_t limit);
/* does SIGINT or SIGTERM wait, where these are blocked? */
bool	suite_interrupted(void);
/* what is not ready, "" when all is; -ECONNREFUSED, -ENOENT: not running */
MUST_USE int	suite_ask_status(struct tool *tool, const char **ret_text);

#endif
