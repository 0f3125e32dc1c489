/* SPDX-License-Identifier: ISC */
/*
 * barid ps: the processes as master knows them, and what confines each as the
 * kernel reports it in /proc. Landlock has no place there: it is shown as the
 * daemon states it.
 */
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "libglobal/ipc_tool.h"
#include "libtask/io.h"
#include "libutil/buf.h"
#include "libutil/json_write.h"
#include "tools/verbs.h"

#define STATUS_MAX	16384
#define ROOT_MAX	4095

/* what /proc says of a process; texts are in the arena, "?" if unknown */
struct proc {
	const char	*user;
	const char	*groups;
	const char	*root;
	const char	*caps;
	const char	*no_new_privs;
	const char	*seccomp;
	uint64_t	 rss_kib;
};

/* value - what stands behind a name in /proc/PID/status */
static struct slice
value(struct slice status, struct slice name)
{
	struct slice line;

	while (status.len > 0) {
		line = slice_split(&status, '\n');
		if (slice_has_prefix(line, name))
			return slice_trim(slice_from(line, name.len));
	}
	return S("?");
}

static const char *
user_name(struct arena *a, struct slice ids)
{
	struct slice	 word;
	uint32_t	 id;
	const struct passwd *pw;

	if (!slice_next_word(&ids, "\t ", &word) ||
	    slice_to_u32(word, UINT32_MAX, &id) < 0)
		return "?";
	pw = getpwuid(id);
	return arena_text(a, pw == NULL ? word : slice_of(pw->pw_name));
}

/* group_names - the effective one, then the supplementary ones */
static const char *
group_names(struct arena *a, struct slice gids, struct slice groups)
{
	struct buf	 b = BUF_INIT;
	struct slice	 word;
	const char	*text;
	bool		 first = true;

	while (slice_next_word(first ? &gids : &groups, "\t ", &word)) {
		uint32_t id;
		const struct group *gr = NULL;

		if (slice_to_u32(word, UINT32_MAX, &id) == 0)
			gr = getgrgid(id);
		buf_add_text(&b, first ? "" : ",");
		buf_add(&b, gr == NULL ? word : slice_of(gr->gr_name));
		first = false;
	}
	text = b.len == 0 ? "?" : arena_text(a, buf_slice(&b));
	buf_free(&b);
	return text;
}

/* root_of - where a process's root folder is */
static const char *
root_of(struct arena *a, uint32_t pid)
{
	char	 path[64];
	char	*target = arena_alloc(a, ROOT_MAX + 1);

	(void)snprintf(path, sizeof(path), "/proc/%u/root", pid);
	return readlink(path, target, ROOT_MAX) < 0 ? "?" : target;
}

/* proc_read - what the kernel says of a process */
static void
proc_read(struct arena *a, uint32_t pid, struct proc *p)
{
	char		path[64], *text = arena_alloc(a, STATUS_MAX);
	struct slice	status, rss;
	ssize_t		n = -1;
	int		fd;

	*p = (struct proc){ "?", "?", "?", "?", "?", "?", 0 };
	(void)snprintf(path, sizeof(path), "/proc/%u/status", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, text, STATUS_MAX);
	fd_close(&fd);
	if (n <= 0)
		return;
	status = slice_over(text, (size_t)n);
	p->user = user_name(a, value(status, S("Uid:")));
	p->groups = group_names(a, value(status, S("Gid:")),
	    value(status, S("Groups:")));
	p->caps = arena_text(a, value(status, S("CapEff:")));
	p->no_new_privs = arena_text(a, value(status, S("NoNewPrivs:")));
	p->seccomp = arena_text(a, value(status, S("Seccomp:")));
	p->root = root_of(a, pid);
	rss = value(status, S("VmRSS:"));
	ignore(slice_to_u64(slice_split(&rss, ' '), UINT64_MAX, &p->rss_kib));
}

static void
print_json(const struct msg_process *m, const struct proc *p)
{
	struct buf		b = BUF_INIT;
	struct json_writer	w = json_writer_into(&b);
	const struct { const char *key; const char *text; } texts[] = {
		{ "user", p->user }, { "groups", p->groups },
		{ "root", p->root }, { "capabilities", p->caps },
		{ "no_new_privs", p->no_new_privs }, { "seccomp", p->seccomp },
	};

	json_object_begin(&w);
	json_key(&w, S("pid"));
	json_uint(&w, m->pid);
	json_key(&w, S("service"));
	json_string(&w, m->service);
	json_key(&w, S("daemon"));
	json_string(&w, m->daemon);
	json_key(&w, S("account"));
	json_string(&w, m->what);
	json_key(&w, S("ready"));
	json_bool(&w, m->ready);
	json_key(&w, S("generation"));
	json_uint(&w, m->generation);
	json_key(&w, S("clients"));
	json_uint(&w, m->clients);
	for (size_t i = 0; i < COUNT(texts); i++) {
		json_key(&w, slice_of(texts[i].key));
		json_text(&w, texts[i].text);
	}
	json_key(&w, S("landlock"));
	json_uint(&w, m->landlock);
	json_key(&w, S("rss_kib"));
	json_uint(&w, p->rss_kib);
	json_key(&w, S("note"));
	json_string(&w, m->note);
	json_object_end(&w);
	json_writer_end(&w);
	printf("%.*s\n", SLICE_ARG(buf_slice(&b)));
	buf_free(&b);
}

static void
print_line(const struct msg_process *m, const struct proc *p)
{
	printf("%7u %-22.*s %-9.*s %-14s %-14s %-16s %s %7s %7s %8u %.*s\n",
	    m->pid, SLICE_ARG(m->service), SLICE_ARG(m->daemon), p->user,
	    p->groups, p->caps, p->no_new_privs, p->seccomp, p->root[1] == '\0' ?
	    "/" : "own", m->landlock, SLICE_ARG(m->what));
	if (p->root[1] != '\0')
		printf("        root %s\n", p->root);
	if (m->note.len > 0)
		printf("        %.*s\n", SLICE_ARG(m->note));
}

static int
ps_talk(struct task *t, struct ipc_conn *c, void *arg)
{
	struct tool			*tool = arg;
	struct msg_tool_processes	*all;
	char				 empty = 0;	/* it has no fields */
	void				*reply;
	int				 r;

	r = ipc_call(t, c, &msg_tool_ps_desc, &empty, &msg_tool_processes_desc,
	    &tool->arena, &reply);
	if (r < 0)
		return r;
	all = reply;
	if (all->list.n == 0)
		return -EPERM;
	if (!tool->json)
		printf("%7s %-22s %-9s %-14s %-14s %-16s %s %s %s %s %s\n",
		    "PID", "SERVICE", "DAEMON", "USER", "GROUPS",
		    "CAPABILITIES", "NNP", "SECCOMP", "ROOT", "LANDLOCK",
		    "ACCOUNT");
	for (size_t i = 0; i < all->list.n; i++) {
		const struct msg_process *m =
		    (struct msg_process *)all->list.v + i;
		struct proc p;

		proc_read(&tool->arena, m->pid, &p);
		if (tool->json)
			print_json(m, &p);
		else
			print_line(m, &p);
	}
	return 0;
}

static int
ps_task(struct task *t, void *arg)
{
	return tool_master(t, arg, ps_talk, arg);
}

/* verb_ps - all processes */
int
verb_ps(struct tool *tool, int argc, char **argv)
{
	int r;

	(void)argv;
	if (argc != 1)
		return TOOL_USAGE;
	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	r = tool_run(ps_task, tool);
	if (r == -ECONNREFUSED || r == -ENOENT)
		return tool_fail(tool, "the suite does not run");
	if (r == -EPERM)
		return tool_fail(tool, "only root and the mail owner may see "
		    "the processes");
	return r < 0 ? tool_fail(tool, "cannot ask master: %s", strerror(-r)) :
	    TOOL_OK;
}
