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
#include "libutil/json_write.h"

struct job {
	struct tool		*tool;
	const struct change	*changes;
	size_t			 count;
	const char		*kind;		/* to list */
	const char		*folder;	/* of the database */
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

/* open_database - as the user this process is now */
static int
open_database(struct job *job, enum accounts_mode mode,
    struct accounts **ret_accounts)
{
	struct diag	diag = DIAG_INIT;
	int		r = accounts_open(job->folder, mode, ret_accounts,
			    &diag);

	if (r == 0 || (r == -ENOENT && mode == ACCOUNTS_READ))
		return r;
	if (diag.text[0] != '\0')
		(void)tool_fail_diag(job->tool, &diag);
	else
		(void)tool_fail(job->tool, "cannot open the accounts database "
		    "in %s: %s", job->folder, strerror(-r));
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
	if (r < 0)
		(void)tool_fail(job->tool, "%s: %s", c->name,
		    r == -EINVAL ? edited.text : strerror(-r));
	return r;
}

static int
edit_file(struct tool *tool, void *arg)
{
	struct job	*job = arg;
	struct accounts	*a;
	int		 r;

	(void)tool;
	if (open_database(job, ACCOUNTS_WRITE, &a) < 0)
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
make_folder(struct tool *tool, const char *data, const char *folder)
{
	uid_t uid;
	gid_t gid;

	tool_user_of(tool, "authd", &uid, &gid);
	if (mkdir(data, 0755) < 0 && errno != EEXIST)
		return tool_fail(tool, "cannot make %s: %s", data,
		    strerror(errno));
	if (mkdir(folder, 0700) < 0)
		return errno == EEXIST ? TOOL_OK : tool_fail(tool,
		    "cannot make %s: %s", folder, strerror(errno));
	if (geteuid() == 0 && chown(folder, uid, gid) < 0)
		return tool_fail(tool, "cannot give %s to user %u: %s", folder,
		    (unsigned)uid, strerror(errno));
	return TOOL_OK;
}

/* in_file - work on the database as the one who owns its folder */
static int
in_file(struct job *job, int (*fn)(struct tool *tool, void *arg))
{
	const char	*data = tool_value(job->tool, "data_directory");
	struct stat	 st;
	int		 r;

	job->folder = arena_printf(&job->tool->arena, "%s/auth", data).data;
	if ((r = make_folder(job->tool, data, job->folder)) != TOOL_OK)
		return r;
	if (stat(job->folder, &st) < 0)
		return tool_fail(job->tool, "cannot look at %s: %s",
		    job->folder, strerror(errno));
	return tool_as_user(job->tool, st.st_uid, st.st_gid, fn, job);
}

/* change_make - whichever way is open */
int
change_make(struct tool *tool, const struct change *changes, size_t count)
{
	struct job job = { .tool = tool, .changes = changes, .count = count };

	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	if (tool_is_running(tool) == 0)
		return in_file(&job, edit_file);
	return tool_run(send_task, &job) < 0 ? TOOL_FAILED : TOOL_OK;
}

/* --- lists */

/* one entry, from either source */
struct entry {
	struct slice	kind;
	struct slice	name;
	struct slice	account;
	struct slice	value;
	uint64_t	quota_bytes;
	uint64_t	quota_messages;
};

static void
print_json(const struct entry *e)
{
	struct buf		b = BUF_INIT;
	struct json_writer	w = json_writer_into(&b);
	struct slice		rest = e->value, target;

	json_object_begin(&w);
	json_key(&w, S("name"));
	json_string(&w, e->name);
	if (e->account.len > 0) {
		json_key(&w, S("account"));
		json_string(&w, e->account);
	}
	if (slice_equal(e->kind, S("alias")) ||
	    slice_equal(e->kind, S("group"))) {
		json_key(&w, S("targets"));
		json_array_begin(&w);
		while (slice_next_word(&rest, "\n", &target))
			json_string(&w, target);
		json_array_end(&w);
	} else {
		json_key(&w, S("quota_bytes"));
		json_uint(&w, e->quota_bytes);
		json_key(&w, S("quota_messages"));
		json_uint(&w, e->quota_messages);
	}
	json_object_end(&w);
	json_writer_end(&w);
	printf("%.*s\n", SLICE_ARG(buf_slice(&b)));
	buf_free(&b);
}

/* print_entry - for people: the name, and what there is to say */
static void
print_entry(const struct tool *tool, const struct entry *e)
{
	struct slice	rest = e->value, target;
	const char	*gap = "  ";

	if (tool->json) {
		print_json(e);
		return;
	}
	printf("%.*s", SLICE_ARG(e->name));
	while (slice_next_word(&rest, "\n", &target)) {
		printf("%s%.*s", gap, SLICE_ARG(target));
		gap = ", ";
	}
	if (e->quota_bytes > 0)
		printf("  %llu bytes", (unsigned long long)e->quota_bytes);
	if (e->quota_messages > 0)
		printf("  %llu messages",
		    (unsigned long long)e->quota_messages);
	putchar('\n');
}

static int
list_talk(struct task *t, struct ipc_conn *c, void *arg)
{
	struct job		*job = arg;
	struct arena		 a = ARENA_INIT;
	struct buf		 after = BUF_INIT;
	struct msg_auth_rows	*rows;
	void			*reply;
	int			 r;

	do {
		struct msg_auth_list ask = { slice_of(job->kind),
		    buf_slice(&after) };

		r = ipc_call(t, c, &msg_auth_list_desc, &ask,
		    &msg_auth_rows_desc, &a, &reply);
		if (r < 0) {
			(void)tool_fail(job->tool, "authd does not answer: %s",
			    strerror(-r));
			break;
		}
		rows = reply;
		buf_reset(&after);
		for (size_t i = 0; i < rows->rows.n; i++) {
			const struct msg_auth_row *row =
			    (struct msg_auth_row *)rows->rows.v + i;
			struct entry e = { slice_of(job->kind), row->name,
			    row->account, row->value, row->quota_bytes,
			    row->quota_messages };

			print_entry(job->tool, &e);
			buf_reset(&after);
			buf_add(&after, row->name);
		}
		arena_reset(&a);
	} while (rows->more && after.len > 0);
	buf_free(&after);
	arena_free(&a);
	return r;
}

static int
list_task(struct task *t, void *arg)
{
	struct job *job = arg;

	return tool_daemon(t, job->tool, "authd", &ipc_table_auth, list_talk,
	    job);
}

/* list_pages - all rows of an open database */
static int
list_pages(struct job *job, struct accounts *accounts)
{
	struct arena		 a = ARENA_INIT;
	struct buf		 after = BUF_INIT;
	struct accounts_row	*rows;
	size_t			 count;
	bool			 more;
	int			 r;

	do {
		r = accounts_list(accounts, slice_of(job->kind),
		    buf_slice(&after), &a, &rows, &count, &more);
		for (size_t i = 0; r == 0 && i < count; i++) {
			struct entry e = { slice_of(job->kind), rows[i].name,
			    rows[i].account, rows[i].value,
			    rows[i].quota_bytes, rows[i].quota_messages };

			print_entry(job->tool, &e);
			buf_reset(&after);
			buf_add(&after, rows[i].name);
		}
		arena_reset(&a);
	} while (r == 0 && more && count > 0);
	buf_free(&after);
	arena_free(&a);
	return r;
}

static int
list_file(struct tool *tool, void *arg)
{
	struct job	*job = arg;
	struct accounts	*a;
	int		 r = open_database(job, ACCOUNTS_READ, &a);

	if (r == -ENOENT)
		return TOOL_OK;		/* nothing was ever made */
	if (r < 0)
		return TOOL_FAILED;
	r = list_pages(job, a);
	accounts_close(&a);
	return r == 0 ? TOOL_OK : tool_fail(tool, "cannot read the accounts "
	    "database: %s", strerror(-r));
}

/* change_list - all entries of a kind */
int
change_list(struct tool *tool, const char *kind)
{
	struct job job = { .tool = tool, .kind = kind };

	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	if (tool_is_running(tool) == 0)
		return in_file(&job, list_file);
	return tool_run(list_task, &job) < 0 ? TOOL_FAILED : TOOL_OK;
}
