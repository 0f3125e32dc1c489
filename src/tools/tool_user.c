/* SPDX-License-Identifier: ISC */
/* As whom daemons work, and becoming one of them for a while. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/tool.h"

#define NOBODY	65534

/* tool_user_of - as master chooses: barid-NAME, mail_owner, or nobody */
void
tool_user_of(struct tool *tool, const char *name, uid_t *ret_uid,
    gid_t *ret_gid)
{
	struct slice		 own = arena_printf(&tool->arena, "barid-%s", name);
	const struct passwd	*pw;

	*ret_uid = geteuid();
	*ret_gid = getegid();
	if (*ret_uid != 0)
		return;
	pw = getpwnam(own.data);
	if (pw == NULL)
		pw = getpwnam(tool_value(tool, "mail_owner"));
	*ret_uid = pw == NULL ? NOBODY : pw->pw_uid;
	*ret_gid = pw == NULL ? NOBODY : pw->pw_gid;
}

/* tool_as_user - run fn as that user */
int
tool_as_user(struct tool *tool, uid_t uid, gid_t gid,
    int (*fn)(struct tool *tool, void *arg), void *arg)
{
	pid_t	pid;
	int	status;

	if (geteuid() != 0 || uid == 0)
		return fn(tool, arg);
	(void)fflush(NULL);
	pid = fork();
	if (pid < 0)
		return tool_fail(tool, "cannot fork: %s", strerror(errno));
	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
		    setresuid(uid, uid, uid) < 0)
			_exit(tool_fail(tool, "cannot become user %u: %s",
			    (unsigned)uid, strerror(errno)));
		status = fn(tool, arg);
		(void)fflush(NULL);
		_exit(status);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return tool_fail(tool, "%s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : TOOL_FAILED;
}
