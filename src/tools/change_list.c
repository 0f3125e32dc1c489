/* SPDX-License-Identifier: ISC */
/*
 * Lists of the accounts database come in pages, from authd or from the file.
 * Each entry is printed as it comes; one that is asked for by its name is
 * looked for among them.
 */
#include "tools/change.h"

#include <stdio.h>

#include "libglobal/accounts.h"
#include "libglobal/ipc_auth.h"
#include "libutil/buf.h"
#include "libutil/json_write.h"

struct listing {
	struct tool	*tool;
	const char	*kind;
	struct slice	 only;		/* the entry of that name; "": all */
	bool		 members;	/* what is in it, not the entry */
	bool		 found;
};

/* has_members - is the value of that kind a list of members? */
static bool
has_members(struct slice kind)
{
	return slice_equal(kind, S("group")) || slice_equal(kind, S("shared"));
}

/* is_account - is it an account, of a person or shared? */
static bool
is_account(struct slice kind)
{
	return slice_equal(kind, S("account")) || slice_equal(kind, S("shared"));
}

/* json_lines - an array of the lines of a text */
static void
json_lines(struct json_writer *w, struct slice key, struct slice text)
{
	struct slice line;

	json_key(w, key);
	json_array_begin(w);
	while (slice_next_word(&text, "\n", &line))
		json_string(w, line);
	json_array_end(w);
}

/* json_account - what is said of an account */
static void
json_account(struct json_writer *w, const struct accounts_row *e)
{
	json_key(w, S("account"));
	json_string(w, e->account);
	json_key(w, S("enabled"));
	json_bool(w, e->enabled);
	json_key(w, S("display_name"));
	json_string(w, e->display_name);
}

/* print_json - an entry as one object */
static void
print_json(const struct accounts_row *e)
{
	struct buf		b = BUF_INIT;
	struct json_writer	w = json_writer_into(&b);

	json_object_begin(&w);
	json_key(&w, S("name"));
	json_string(&w, e->name);
	if (is_account(e->kind))
		json_account(&w, e);
	if (slice_equal(e->kind, S("alias")))
		json_lines(&w, S("targets"), e->value);
	if (has_members(e->kind))
		json_lines(&w, S("members"), e->value);
	if (is_account(e->kind) || slice_equal(e->kind, S("domain"))) {
		json_key(&w, S("quota_bytes"));
		json_uint(&w, e->quota_bytes);
		json_key(&w, S("quota_messages"));
		json_uint(&w, e->quota_messages);
	}
	json_key(&w, S("created"));
	json_int(&w, e->created);
	json_object_end(&w);
	json_writer_end(&w);
	printf("%.*s\n", SLICE_ARG(buf_slice(&b)));
	buf_free(&b);
}

/* print_text - for people: the name, and what there is to say */
static void
print_text(const struct accounts_row *e, bool alone)
{
	struct slice	rest = e->value, target;
	const char	*gap = "  ";

	printf("%.*s", SLICE_ARG(e->name));
	if (alone && e->account.len > 0)
		printf("  id %.*s", SLICE_ARG(e->account));
	while (slice_next_word(&rest, "\n", &target)) {
		printf("%s%.*s", gap, SLICE_ARG(target));
		gap = ", ";
	}
	if (e->display_name.len > 0)
		printf("  \"%.*s\"", SLICE_ARG(e->display_name));
	if (e->quota_bytes > 0)
		printf("  %llu bytes", (unsigned long long)e->quota_bytes);
	if (e->quota_messages > 0)
		printf("  %llu messages",
		    (unsigned long long)e->quota_messages);
	if (!e->enabled)
		printf("  disabled");
	putchar('\n');
}

/* print_members - a line or an object each */
static void
print_members(const struct tool *tool, const struct accounts_row *e)
{
	struct slice rest = e->value, member;

	while (slice_next_word(&rest, "\n", &member)) {
		struct buf		b = BUF_INIT;
		struct json_writer	w = json_writer_into(&b);

		json_object_begin(&w);
		json_key(&w, S("name"));
		json_string(&w, e->name);
		json_key(&w, S("member"));
		json_string(&w, member);
		json_object_end(&w);
		json_writer_end(&w);
		printf("%.*s\n", SLICE_ARG(tool->json ? buf_slice(&b) :
		    member));
		buf_free(&b);
	}
}

/* on_entry - print it, if it is wanted */
static void
on_entry(struct listing *l, const struct accounts_row *e)
{
	if (l->only.len > 0 && !slice_equal(l->only, e->name))
		return;
	l->found = true;
	if (l->members)
		print_members(l->tool, e);
	else if (l->tool->json)
		print_json(e);
	else
		print_text(e, l->only.len > 0);
}

/* --- from authd */

/* on_page - the rows of one answer */
static void
on_page(struct listing *l, const struct msg_auth_rows *rows, struct buf *after)
{
	buf_reset(after);
	for (size_t i = 0; i < rows->rows.n; i++) {
		const struct msg_auth_row *row = &rows->rows.v[i];
		struct accounts_row e = { slice_of(l->kind), row->name,
		    row->account, row->value, row->display_name,
		    row->quota_bytes, row->quota_messages, row->created,
		    row->enabled };

		on_entry(l, &e);
		buf_reset(after);
		buf_add(after, row->name);
	}
}

static int
list_talk(struct task *t, struct ipc_conn *c, void *arg)
{
	struct listing		*l = arg;
	struct arena		 a = ARENA_INIT;
	struct buf		 after = BUF_INIT;
	struct msg_auth_rows	*rows = NULL;
	void			*reply;
	int			 r;

	do {
		struct msg_auth_list ask = { slice_of(l->kind),
		    buf_slice(&after) };

		arena_reset(&a);
		r = ipc_call(t, c, &msg_auth_list_desc, &ask,
		    &msg_auth_rows_desc, &a, &reply);
		if (r < 0) {
			(void)tool_fail(l->tool, "authd does not answer: %s",
			    strerror(-r));
			break;
		}
		rows = reply;
		if (rows->failed) {
			r = -EIO;
			(void)tool_fail(l->tool, "authd cannot read the "
			    "accounts database; the log says why");
			break;
		}
		on_page(l, rows, &after);
	} while (rows->more && after.len > 0);
	buf_free(&after);
	arena_free(&a);
	return r;
}

static int
list_task(struct task *t, void *arg)
{
	struct listing *l = arg;

	return tool_daemon(t, l->tool, "authd", &ipc_table_auth, list_talk, l);
}

/* --- from the file */

/* list_pages - all rows of an open database */
static int
list_pages(struct listing *l, struct accounts *accounts)
{
	struct arena		 a = ARENA_INIT;
	struct buf		 after = BUF_INIT;
	struct accounts_row	*rows;
	size_t			 count;
	bool			 more;
	int			 r;

	do {
		r = accounts_list(accounts, slice_of(l->kind),
		    buf_slice(&after), &a, &rows, &count, &more);
		for (size_t i = 0; r == 0 && i < count; i++) {
			on_entry(l, &rows[i]);
			buf_reset(&after);
			buf_add(&after, rows[i].name);
		}
		arena_reset(&a);
	} while (r == 0 && more && count > 0);
	buf_free(&after);
	arena_free(&a);
	return r;
}

/* missing - nothing has the name that was asked for */
static int
missing(const struct listing *l)
{
	bool shared = strcmp(l->kind, "shared") == 0;

	return tool_fail(l->tool, "there is no %s%s %.*s; \"barid %s list\" "
	    "shows all of them", l->kind, shared ? " account" : "",
	    SLICE_ARG(l->only), l->kind);
}

static int
list_file(struct tool *tool, void *arg)
{
	struct listing	*l = arg;
	struct accounts	*a;
	int		 r = change_open(tool, true, &a);

	if (r < 0 && r != -ENOENT)
		return TOOL_FAILED;
	if (r == 0) {			/* else nothing was ever made */
		r = list_pages(l, a);
		accounts_close(&a);
		if (r < 0)
			return tool_fail(tool, "cannot read the accounts "
			    "database: %s", strerror(-r));
	}
	/* here: it is a process of its own that knows */
	return l->only.len > 0 && !l->found ? missing(l) : TOOL_OK;
}

/* --- all */

/* list - whichever way is open */
static int
list(struct listing *l)
{
	if (tool_conf(l->tool) != 0)
		return TOOL_FAILED;
	if (tool_is_running(l->tool) == 0)
		return change_in_file(l->tool, list_file, l);
	if (tool_run(list_task, l) < 0)
		return TOOL_FAILED;
	return l->only.len > 0 && !l->found ? missing(l) : TOOL_OK;
}

/* list_one - the entry of a name, in whatever case it is written */
static int
list_one(struct listing *l, const char *name)
{
	if (accounts_address(slice_of(name), &l->tool->arena, &l->only) < 0)
		return tool_fail(l->tool, "\"%s\" is no address", name);
	return list(l);
}

/* change_list - all entries of a kind */
int
change_list(struct tool *tool, const char *kind)
{
	struct listing l = { .tool = tool, .kind = kind };

	return list(&l);
}

/* change_show - one entry */
int
change_show(struct tool *tool, const char *kind, const char *name)
{
	struct listing l = { .tool = tool, .kind = kind };

	return list_one(&l, name);
}

/* change_members - what is in one entry */
int
change_members(struct tool *tool, const char *kind, const char *name)
{
	struct listing l = { .tool = tool, .kind = kind, .members = true };

	return list_one(&l, name);
}
