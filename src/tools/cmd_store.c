/* SPDX-License-Identifier: ISC */
/*
 * barid store. While the suite runs, stored has each account's own process
 * check it. While it does not, a child of ours that has become the owner of
 * the account's folder does, under the account's own lock: one child an
 * account, so that a damaged one cannot harm the check of the others.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/ipc_store.h"
#include "libstore/verify.h"
#include "libutil/buf.h"
#include "libutil/conf.h"
#include "libutil/json_write.h"
#include "tools/verbs.h"

#define ID_DIGITS	16	/* of an account's folder name */
#define SHARD_DIGITS	2

struct store_job {
	struct tool	*tool;
	const char	*folder;	/* of one account */
	const char	*account;
	char		**wanted;	/* account ids; NULL: all */
	size_t		 wanted_count;
	bool		 bodies;
	bool		 repair;
	bool		 list_only;
	uint64_t	 accounts;
	uint64_t	 bad;		/* of them */
};

/* what was found in an account so far */
struct findings {
	struct store_job	*job;
	struct buf		 text;	/* a line each */
};

/* --- printing */

static void
print_json(const char *account, bool ok, uint64_t messages, struct slice found,
    const char *why)
{
	struct buf		b = BUF_INIT;
	struct json_writer	w = json_writer_into(&b);
	struct slice		line;

	json_object_begin(&w);
	json_key(&w, S("account"));
	json_text(&w, account);
	json_key(&w, S("checked"));
	json_bool(&w, ok);
	json_key(&w, S("messages"));
	json_uint(&w, messages);
	json_key(&w, S("findings"));
	json_array_begin(&w);
	while (slice_next_word(&found, "\n", &line))
		json_string(&w, line);
	json_array_end(&w);
	json_key(&w, S("error"));
	json_text(&w, why[0] == '\0' ? NULL : why);
	json_object_end(&w);
	json_writer_end(&w);
	printf("%.*s\n", SLICE_ARG(buf_slice(&b)));
	buf_free(&b);
}

/* print - what became of an account; TOOL_FAILED unless all is well */
static int
print(struct store_job *job, const char *account, bool ok, uint64_t messages,
    struct slice found, const char *why)
{
	struct slice line, rest = found;

	if (job->tool->json)
		print_json(account, ok, messages, found, why);
	else if (!ok)
		printf("%s: cannot be checked: %s\n", account, why);
	else if (found.len == 0)
		printf("%s: %llu messages, clean\n", account,
		    (unsigned long long)messages);
	else
		while (slice_next_word(&rest, "\n", &line))
			printf("%s: %.*s\n", account, SLICE_ARG(line));
	return ok && found.len == 0 ? TOOL_OK : TOOL_FAILED;
}

/* is_wanted - was that account named, or none at all? */
static bool
is_wanted(const struct store_job *job, struct slice account)
{
	for (size_t i = 0; i < job->wanted_count; i++)
		if (slice_equal(slice_of(job->wanted[i]), account))
			return true;
	return job->wanted_count == 0;
}

/* --- through stored */

static int
verify_one(struct task *t, struct ipc_conn *c, struct store_job *job,
    struct slice account)
{
	struct arena			 a = ARENA_INIT;
	struct msg_store_verify		 ask = { account, job->bodies,
					    job->repair };
	struct msg_store_verified	*done;
	struct buf			 found = BUF_INIT;
	void				*reply;
	int				 r;

	r = ipc_call(t, c, &msg_store_verify_desc, &ask,
	    &msg_store_verified_desc, &a, &reply);
	if (r == 0) {
		done = reply;
		for (size_t i = 0; i < done->findings.n; i++) {
			buf_add(&found, done->findings.v[i].text);
			buf_add_byte(&found, '\n');
		}
		job->accounts++;
		job->bad += print(job, arena_text(&a, account), done->ok,
		    done->messages, buf_slice(&found),
		    arena_text(&a, done->text)) != TOOL_OK;
	}
	buf_free(&found);
	arena_free(&a);
	return r;
}

static int
store_talk(struct task *t, struct ipc_conn *c, void *arg)
{
	struct store_job		*job = arg;
	struct msg_store_folders	*all;
	char				 empty = 0;	/* it has no fields */
	void				*reply;
	int				 r;

	r = ipc_call(t, c, &msg_store_list_desc, &empty,
	    &msg_store_folders_desc, &job->tool->arena, &reply);
	if (r < 0)
		return r;
	all = reply;
	for (size_t i = 0; i < all->list.n && r == 0; i++) {
		const struct msg_folder *f =
		    (struct msg_folder *)all->list.v + i;

		if (!is_wanted(job, f->account))
			continue;
		if (!job->list_only)
			r = verify_one(t, c, job, f->account);
		else if (job->tool->json)
			printf("{\"account\":\"%.*s\",\"running\":%s}\n",
			    SLICE_ARG(f->account), f->running ? "true" :
			    "false");
		else
			printf("%.*s%s\n", SLICE_ARG(f->account),
			    f->running ? " running" : "");
	}
	return r;
}

static int
store_task(struct task *t, void *arg)
{
	struct store_job *job = arg;

	return tool_daemon(t, job->tool, "stored", &ipc_table_store,
	    store_talk, job);
}

/* --- in the folders */

static void
note(void *arg, const char *text)
{
	struct findings *f = arg;

	buf_add_text(&f->text, text);
	buf_add_byte(&f->text, '\n');
}

/* verify_folder - in the child, as the owner */
static int
verify_folder(struct tool *tool, void *arg)
{
	struct store_job	*job = arg;
	struct account_params	 params = ACCOUNT_PARAMS_INIT;
	struct findings		 found = { job, BUF_INIT };
	struct verify_result	 result = { 0 };
	struct salvage_result	 salvaged;
	struct account		*account = NULL;
	int			 r;

	(void)tool;
	r = account_open(job->folder, &params, &account);
	if (r == 0 && job->repair)
		r = store_salvage(account, note, &found, &salvaged);
	if (r == 0)
		r = store_verify(account, job->bodies ? VERIFY_BODIES :
		    VERIFY_RECORDS, note, &found, &result);
	r = print(job, job->account, r == 0, result.messages,
	    buf_slice(&found.text), r < 0 ? strerror(-r) : "");
	account_close(&account);
	buf_free(&found.text);
	return r;
}

/* on_folder - one account */
static void
on_folder(struct store_job *job, const char *shard, const char *id)
{
	struct stat st;

	job->folder = arena_printf(&job->tool->arena, "%s/%s", shard, id).data;
	job->account = arena_text(&job->tool->arena, slice_of(id));
	if (lstat(job->folder, &st) < 0 || !S_ISDIR(st.st_mode) ||
	    !is_wanted(job, slice_of(id)))
		return;
	job->accounts++;
	if (!job->list_only)
		job->bad += tool_as_user(job->tool, st.st_uid, st.st_gid,
		    verify_folder, job) != TOOL_OK;
	else if (job->tool->json)
		printf("{\"account\":\"%s\",\"running\":false}\n", id);
	else
		printf("%s\n", id);
}

/* each_entry - the entries of a folder whose names have that many digits */
static void
each_entry(struct store_job *job, const char *path, size_t digits,
    void (*fn)(struct store_job *job, const char *folder, const char *name))
{
	struct dirent	**names;
	int		  count = scandir(path, &names, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		if (strlen(names[i]->d_name) == digits &&
		    strspn(names[i]->d_name, "0123456789abcdef") == digits)
			fn(job, path, names[i]->d_name);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
	else if (errno != ENOENT)
		(void)tool_fail(job->tool, "cannot read %s: %s", path,
		    strerror(errno));
}

static void
on_shard(struct store_job *job, const char *store, const char *shard)
{
	each_entry(job, arena_printf(&job->tool->arena, "%s/%s", store,
	    shard).data, ID_DIGITS, on_folder);
}

/* run - whichever way is open */
static int
run(struct store_job *job)
{
	struct tool	*tool = job->tool;
	const char	*store;
	int		 r;

	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	if (tool_is_running(tool) != 0) {
		r = tool_run(store_task, job);
		if (r < 0 && r != -ECONNREFUSED)	/* which was said */
			(void)tool_fail(tool, "stored does not answer: %s",
			    strerror(-r));
		if (r < 0)
			return TOOL_FAILED;
	} else {
		store = tool_value(tool, "store_directory");
		/* what is above it need not be open to the accounts' owner */
		if (chdir(store) < 0)
			return errno == ENOENT ? TOOL_OK : tool_fail(tool,
			    "cannot enter %s: %s", store, strerror(errno));
		each_entry(job, ".", SHARD_DIGITS, on_shard);
	}
	if (job->wanted_count > job->accounts && !job->list_only)
		return tool_fail(tool, "%llu of the accounts that were named "
		    "have no mail; \"barid store list\" shows those that do",
		    (unsigned long long)(job->wanted_count - job->accounts));
	return job->bad == 0 ? TOOL_OK : TOOL_FAILED;
}

/* verb_store_verify - prove that accounts are whole */
int
verb_store_verify(struct tool *tool, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "bodies", no_argument, NULL, 'b' },
		{ "repair", no_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	struct store_job	job = { .tool = tool };
	int			c, r;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == '?')
			return TOOL_USAGE;
		job.bodies |= c == 'b';
		job.repair |= c == 'r';
	}
	job.wanted = argv + optind;
	job.wanted_count = (size_t)(argc - optind);
	for (size_t i = 0; i < job.wanted_count; i++)
		if (strlen(job.wanted[i]) != ID_DIGITS ||
		    strspn(job.wanted[i], "0123456789abcdef") != ID_DIGITS)
			return tool_fail(tool, "\"%s\" is no account id; "
			    "\"barid account show\" tells that of an account",
			    job.wanted[i]);
	r = run(&job);
	if (!tool->json)
		printf("%llu accounts, %llu not clean\n",
		    (unsigned long long)job.accounts,
		    (unsigned long long)job.bad);
	return r;
}

/* verb_store_list - the folders there are */
int
verb_store_list(struct tool *tool, int argc, char **argv)
{
	struct store_job job = { .tool = tool, .list_only = true };

	(void)argv;
	return argc != 1 ? TOOL_USAGE : run(&job);
}
