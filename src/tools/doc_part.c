/* SPDX-License-Identifier: ISC */
/* The parts of manual pages that are made of tables; parameters have a file
 * of their own. */
#include "libglobal/daemons.h"
#include "libglobal/edges.h"
#include "libglobal/map.h"
#include "libglobal/mastercf.h"
#include "libglobal/sandbox_rows.h"
#include "libutil/buf.h"
#include "tools/doc.h"
#include "tools/mdoc.h"
#include "tools/tables.h"
#include "tools/verbs.h"

/* tag - ".It Ic word" and its sentence */
static void
tag(struct buf *out, const char *macro, const char *word, const char *text)
{
	buf_addf(out, ".It %s ", macro);
	mdoc_arg(out, slice_of(word));
	buf_add_byte(out, '\n');
	mdoc_text(out, slice_of(text));
}

/* events - what a daemon logs */
static int
events(struct buf *out, struct slice owner)
{
	static const char *const levels[LEVEL_COUNT] = {
		"debug", "info", "warning", "error", "fatal",
	};
	const struct tables_events *t = tables_events_of(owner);

	if (t == NULL)
		return -ENOENT;
	buf_add_text(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < t->table->count; i++) {
		const struct event *e = t->table->events[i];

		tag(out, "Li", e->wording, e->doc);
		buf_addf(out, ".Pq %s, level %s\n", e->name, levels[e->level]);
	}
	buf_add_text(out, ".El\n");
	return buf_check(out);
}

/* messages - a conversation */
static int
messages(struct buf *out, struct slice name)
{
	const struct doc_talk *talk = doc_talk_find(name);

	if (talk == NULL)
		return -ENOENT;
	mdoc_text(out, slice_of(talk->gist));
	buf_add_text(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; talk->table->messages[i] != NULL; i++) {
		const struct ipc_desc *d = talk->table->messages[i];

		buf_addf(out, ".It Li %s Pq %u, from the %s\n", d->name,
		    d->number, d->from == IPC_CALLER ? "caller" :
		    d->from == IPC_CALLEE ? "callee" : "either end");
		mdoc_text(out, slice_of(d->doc));
	}
	buf_add_text(out, ".El\n");
	return buf_check(out);
}

/* edges - whom a daemon calls, and who calls it */
static int
edges(struct buf *out, struct slice daemon)
{
	const struct edge_row	*e;
	bool			 found = false;

	buf_add_text(out, ".Bl -tag -width Ds\n");
	for (e = edges_table; e->caller != NULL; e++) {
		bool calls = slice_equal(daemon, slice_of(e->caller));

		if (!calls && !slice_equal(daemon, slice_of(e->callee)))
			continue;
		found = true;
		buf_addf(out, ".It %s %s\n", calls ? "calls" : "called by",
		    calls ? e->callee :
		    strcmp(e->caller, "tool") == 0 ? "a command of root or "
		    "mail_owner" : e->caller);
		mdoc_text(out, slice_of(e->doc));
	}
	buf_add_text(out, ".El\n");
	return found ? buf_check(out) : -ENOENT;
}

/* paths - Landlock's, as a sentence */
static void
paths(struct buf *out, const struct sandbox_row *row)
{
	static const char *const access[] = {
		[SANDBOX_READ] = "read",
		[SANDBOX_WRITE] = "read and change files",
		[SANDBOX_MAKE] = "read, make, change and remove files",
		[SANDBOX_TREE] = ("read, make, change and remove files and "
		    "folders"),
	};
	const struct sandbox_path *p = row->paths;

	if (p->path == NULL)
		return;
	buf_add_text(out, ".It files\n");
	for (; p < row->paths + SANDBOX_PATHS_MAX && p->path != NULL; p++)
		buf_addf(out, "%s: %s%s\n",
		    p->path[0] == '\0' ? "The root folder" : p->path,
		    access[p->access], p[1].path == NULL ? "." : ";");
}

static const char *const root_gists[] = {
#define ROOT(name, gist)	gist,
#include "libtask/sandbox_roots.def"
};

static const struct {
	unsigned	 bit;
	const char	*gist;
} group_gists[] = {
#define GROUP(name, gist)	{ SANDBOX_##name, gist },
#include "libtask/seccomp_groups.def"
};

/* sandbox - what a daemon is given */
static int
sandbox(struct buf *out, struct slice daemon)
{
	const struct sandbox_row *row = sandbox_row_find(daemon);

	if (row == NULL)
		return -ENOENT;
	mdoc_text(out, slice_of(row->gist));
	buf_add_text(out, ".Bl -tag -width Ds\n.It user and group\n");
	if (row->user[0] == '\0')
		buf_add_text(out, "root\n");
	else
		buf_addf(out, "barid-%s, barid-%s\n", row->user, row->group);
	buf_add_text(out, ".It root folder\n");
	mdoc_text(out, slice_of(root_gists[row->root]));
	buf_add_text(out, ".It system calls\n");
	if (row->groups == 0)
		buf_add_text(out, "All.\n");
	for (size_t i = 0; i < COUNT(group_gists); i++)
		if ((row->groups & group_gists[i].bit) != 0)
			mdoc_text(out, slice_of(group_gists[i].gist));
	paths(out, row);
	buf_add_text(out, ".El\n");
	return buf_check(out);
}

/* maptypes - the types of lookup tables */
static int
maptypes(struct buf *out, struct slice unused)
{
	const struct map_type *type;

	(void)unused;		/* a part takes an argument or none */
	buf_add_text(out, ".Bl -tag -width unionmap\n");
	for (size_t i = 0; (type = map_type_at(i)) != NULL; i++) {
		tag(out, "Ic", type->name, type->gist);
		if (type->package != NULL)
			buf_addf(out, "Its module is in the package %s.\n",
			    type->package);
	}
	buf_add_text(out, ".El\n");
	return buf_check(out);
}

/* commands - what may stand as a command in master.cf */
static int
commands(struct buf *out, struct slice unused)
{
	const struct mastercf_command *c;

	(void)unused;		/* a part takes an argument or none */
	buf_add_text(out, ".Bl -tag -width trivial-rewrite\n");
	for (size_t i = 0; (c = mastercf_command_at(i)) != NULL; i++)
		tag(out, "Ic", c->name, c->sentence);
	buf_add_text(out, ".El\n");
	return buf_check(out);
}

/* daemons - all of them */
static int
daemons(struct buf *out, struct slice unused)
{
	(void)unused;		/* a part takes an argument or none */
	buf_add_text(out, ".Bl -tag -width accountd\n");
	for (const struct daemon_row *d = daemons_table; d->name != NULL; d++)
		tag(out, "Nm", d->name, d->doc);
	buf_add_text(out, ".El\n");
	return buf_check(out);
}

/* verbs - what the barid command can do */
static int
verbs(struct buf *out, struct slice unused)
{
	(void)unused;		/* a part takes an argument or none */
	buf_add_text(out, ".Bl -tag -width Ds\n");
	for (const struct verb *v = verbs_table; v->noun != NULL; v++) {
		buf_addf(out, ".It Ic %s", v->noun);
		if (v->verb[0] != '\0')
			buf_addf(out, " %s", v->verb);
		if (v->arguments[0] != '\0') {
			buf_add_text(out, " Li ");
			mdoc_arg(out, slice_of(v->arguments));
		}
		buf_add_byte(out, '\n');
		mdoc_text(out, slice_of(v->sentence));
	}
	buf_add_text(out, ".El\n");
	return buf_check(out);
}

/* doc_part - the part of that name */
int
doc_part(struct buf *out, struct slice name, struct slice argument)
{
	static const struct {
		const char	*name;
		int		(*write)(struct buf *out, struct slice arg);
	} parts[] = {
		{ "PARAMS", doc_params }, { "ALL_PARAMS", doc_all_params },
		{ "EVENTS", events }, { "MESSAGES", messages },
		{ "EDGES", edges }, { "SANDBOX", sandbox },
		{ "MAPTYPES", maptypes }, { "MASTERCF_COMMANDS", commands },
		{ "DAEMONS", daemons }, { "VERBS", verbs },
	};

	for (size_t i = 0; i < COUNT(parts); i++)
		if (slice_equal(name, slice_of(parts[i].name)))
			return parts[i].write(out, argument);
	return -ENOENT;
}
