/* SPDX-License-Identifier: ISC */
/*
 * The way that is open decides itself: while the suite runs authd holds the
 * lock of the database, and while it does not nobody listens for tools.
 */
#include "tools/change.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libglobal/accounts.h"
#include "libglobal/ipc_auth.h"
#include "libutil/buf.h"

struct job {
	struct tool		*tool;
	const struct change	*changes;
	size_t			 count;
};

/* --- through authd */

/* change_send - one after the other */
int
change_send(struct task *t, struct ipc_conn *authd, struct tool *tool,
    const struct change *changes, size_t count)
{
	struct arena	a = ARENA_INIT;
	void		*reply;
	int		r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		struct msg_auth_edit edit = { slice_of(changes[i].verb),
		    slice_of(changes[i].name), slice_of(changes[i].value) };
		struct msg_auth_edited *edited;

		r = ipc_call(t, authd, &msg_auth_edit_desc, &edit,
		    &msg_auth_edited_desc, &a, &reply);
		edited = reply;
		if (r < 0) {
			(void)tool_fail(tool, "authd does not answer: %s",
			    strerror(-r));
		} else if (!edited->ok) {
			(void)tool_fail(tool, "%s: %.*s", changes[i].name,
			    SLICE_ARG(edited->text));
			r = -EINVAL;
		}
		arena_reset(&a);
	}
	arena_free(&a);
	return r;
}

static int
send_talk(struct task *t, struct ipc_conn *c, void *arg)
{
	struct job *job = arg;

	return change_send(t, c, job->tool, job->changes, job->count);
}

static int
send_task(struct task *t, void *arg)
{
	struct job *job = arg;

	return tool_daemon(t, job->tool, "authd", &ipc_table_auth, send_talk,
	    job);
}

/* --- in the file */

/* change_folder - of the database */
const char *
change_folder(struct tool *tool)
{
	return arena_printf(&tool->arena, "%s/auth",
	    tool_value(tool, "data_directory")).data;
}

/* change_open - as the user this process is now */
int
change_open(struct tool *tool, bool to_read, struct accounts **ret_accounts)
{
	struct diag	diag = DIAG_INIT;
	int		r = accounts_open(change_folder(tool), to_read ? ACCOUNTS_READ :
			    ACCOUNTS_WRITE, ret_accounts, &diag);

	if (r == 0 || (r == -ENOENT && to_read))
		return r;
	if (diag.text[0] != '\0')
		(void)tool_fail_diag(tool, &diag);
	else
		(void)tool_fail(tool, "cannot open the accounts database "
		    "in %s: %s", change_folder(tool), strerror(-r));
	return r;
}

static int
edit_one(struct job *job, struct accounts *a, const struct change *c)
{
	struct accounts_edit	e = { .name = slice_of(c->name),
				    .value = slice_of(c->value),
				    .now = time(NULL) };
	struct accounts_edited	edited;
	unsigned char		random[8];
	int			r;

	if ((r = accounts_verb(slice_of(c->verb), &e.verb)) < 0)
		return r;
	do {
		if (getrandom(random, sizeof(random), 0) != sizeof(random))
			return -EIO;
		accounts_id_make(random, e.id);
		edited.text[0] = '\0';
		r = accounts_edit(a, &e, &edited);
	} while (r == -EEXIST);
	if (r == -EINVAL)
		(void)tool_fail(job->tool, "%s: %s", c->name, edited.text);
	else if (r < 0)
		(void)tool_fail(job->tool, "%s: the accounts database cannot be "
		    "written: %s", c->name, strerror(-r));
	return r;
}

static int
edit_file(struct tool *tool, void *arg)
{
	struct job	*job = arg;
	struct accounts	*a;
	int		 r;

	if (change_open(tool, false, &a) < 0)
		return TOOL_FAILED;
	for (size_t i = 0; i < job->count; i++)
		if ((r = edit_one(job, a, &job->changes[i])) < 0) {
			accounts_close(&a);
			return TOOL_FAILED;
		}
	accounts_close(&a);
	return TOOL_OK;
}

/* make_folder - authd's folder, before the suite was ever started */
static int
make_folder(struct tool *tool)
{
	const char	*data = tool_value(tool, "data_directory");
	const char	*path = change_folder(tool);
	uid_t		 uid;
	gid_t		 gid;

	tool_user_of(tool, "authd", &uid, &gid);
	if (mkdir(data, 0755) < 0 && errno != EEXIST)
		return tool_fail(tool, "cannot make %s: %s", data,
		    strerror(errno));
	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? TOOL_OK : tool_fail(tool,
		    "cannot make %s: %s", path, strerror(errno));
	if (geteuid() == 0 && chown(path, uid, gid) < 0)
		return tool_fail(tool, "cannot give %s to user %u: %s", path,
		    (unsigned)uid, strerror(errno));
	return TOOL_OK;
}

/* change_in_file - work on the database as the one who owns its folder */
int
change_in_file(struct tool *tool, int (*fn)(struct tool *tool, void *arg),
    void *arg)
{
	struct stat	 st;
	int		 r;

	if ((r = make_folder(tool)) != TOOL_OK)
		return r;
	if (stat(change_folder(tool), &st) < 0)
		return tool_fail(tool, "cannot look at %s: %s", change_folder(tool),
		    strerror(errno));
	return tool_as_user(tool, st.st_uid, st.st_gid, fn, arg);
}

/* change_make - whichever way is open */
int
change_make(struct tool *tool, const struct change *changes, size_t count)
{
	struct job job = { .tool = tool, .changes = changes, .count = count };

	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	if (tool_is_running(tool) == 0)
		return change_in_file(tool, edit_file, &job);
	return tool_run(send_task, &job) < 0 ? TOOL_FAILED : TOOL_OK;
}

/* change_targets - the values are a line each */
int
change_targets(struct tool *tool, int argc, char **argv, const char *verb)
{
	struct change	change = { verb, argc > 1 ? argv[1] : "", NULL };
	struct buf	b = BUF_INIT;
	int		r;

	if (argc < 3)
		return TOOL_USAGE;
	for (int i = 2; i < argc; i++) {
		buf_add_text(&b, argv[i]);
		buf_add_text(&b, i + 1 < argc ? "\n" : "");
	}
	change.value = buf_cstr(&b);
	r = change_make(tool, &change, 1);
	buf_free(&b);
	return r;
}
