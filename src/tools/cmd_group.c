/* SPDX-License-Identifier: ISC */
/*
 * barid group, barid shared: addresses that several accounts stand behind. The
 * two nouns do the same; what authd calls a change is noun and verb.
 */
#include "tools/change.h"
#include "tools/verbs.h"

/* change_name - "group-add" */
static const char *
change_name(struct tool *tool)
{
	return arena_printf(&tool->arena, "%s-%s", tool->noun, tool->verb).data;
}

/* verb_members_change - add, set, join, leave */
int
verb_members_change(struct tool *tool, int argc, char **argv)
{
	return change_targets(tool, argc, argv, change_name(tool));
}

/* verb_members_show - who is in one of them */
int
verb_members_show(struct tool *tool, int argc, char **argv)
{
	return argc != 2 ? TOOL_USAGE :
	    change_members(tool, tool->noun, argv[1]);
}

/* verb_members_list - all of them */
int
verb_members_list(struct tool *tool, int argc, char **argv)
{
	(void)argv;
	return argc != 1 ? TOOL_USAGE : change_list(tool, tool->noun);
}

/* verb_members_delete - one of them */
int
verb_members_delete(struct tool *tool, int argc, char **argv)
{
	struct change change = { change_name(tool), argc > 1 ? argv[1] : "",
	    "" };

	return argc != 2 ? TOOL_USAGE : change_make(tool, &change, 1);
}
