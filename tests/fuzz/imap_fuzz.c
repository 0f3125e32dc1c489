/* SPDX-License-Identifier: ISC */
/*
 * A command is cut and parsed as a session would; what was understood of it
 * (mailbox names, sets, data items) prints and parses back the same.
 */
#include "test.h"

#include "libmail/imap_format.h"
#include "libmail/imap_parse.h"

#define SEGMENTS_MAX 16

/* parse "a <verb> <what was printed>", literals cut out */
static void
parse_again(struct arena *a, struct slice text, struct imap_command *cmd)
{
	struct imap_segment s[SEGMENTS_MAX];
	struct imap_literal literal;
	struct imap_fault fault;
	size_t	n = 0, end;

	for (; n + 1 < SEGMENTS_MAX; n++) {
		end = slice_find_slice(text, S("\r\n"));
		s[n] = (struct imap_segment){ text, SLICE_EMPTY, false };
		if (end == SLICE_NONE)
			break;
		s[n].text = slice_sub(text, 0, end);
		if (imap_literal_at_end(s[n].text, &literal) != 1)
			return;		/* a line end inside of a literal */
		text = slice_from(text, end + 2);
		s[n].literal = slice_sub(text, 0, literal.size);
		s[n].has_literal = true;
		text = slice_from(text, literal.size);
	}
	if (n + 1 == SEGMENTS_MAX)
		return;			/* many odd header field names */
	FUZZ_CHECK(imap_parse(a, s, n + 1, cmd, &fault) == 0);
}

/* check_mailbox - a name prints and parses back */
static void
check_mailbox(struct arena *a, struct slice name)
{
	struct imap_command again;
	struct buf	b = BUF_INIT;

	buf_add_text(&b, "a SELECT ");
	imap_format_mailbox(&b, name);
	parse_again(a, buf_slice(&b), &again);
	FUZZ_CHECK(slice_equal(again.mailbox.name, name));
	buf_free(&b);
}

/* check_set - a set prints and parses back, resolved it is sorted */
static void
check_set(struct arena *a, struct imap_seqset *set)
{
	struct imap_seqset again;
	struct buf	b = BUF_INIT;
	uint32_t	top;

	imap_seqset_format(&b, set);
	FUZZ_CHECK(imap_seqset_parse(a, buf_slice(&b), &again) == 0);
	FUZZ_CHECK(again.count == set->count);
	for (size_t i = 0; i < set->count; i++)
		FUZZ_CHECK(again.ranges[i].first == set->ranges[i].first &&
		    again.ranges[i].last == set->ranges[i].last);
	top = imap_seqset_resolve(set, 1000);
	FUZZ_CHECK(imap_seqset_has(set, top));
	for (size_t i = 1; i < set->count; i++)
		FUZZ_CHECK(set->ranges[i].first >
		    (uint64_t)set->ranges[i - 1].last + 1);
	buf_free(&b);
}

/* check_fetch - the name of an item is an item */
static void
check_fetch(struct arena *a, const struct imap_fetch *f)
{
	for (size_t i = 0; i < f->count; i++) {
		struct imap_fetch_item item = f->items[i];
		struct imap_command again;
		struct buf	b = BUF_INIT, c = BUF_INIT;

		item.partial = false;	/* a reply shows the offset only */
		buf_add_text(&b, "a FETCH 1 ");
		imap_format_fetch_item(&b, &item);
		again.fetch.count = 0;
		parse_again(a, buf_slice(&b), &again);
		if (again.fetch.count == 1) {
			buf_add_text(&c, "a FETCH 1 ");
			imap_format_fetch_item(&c, &again.fetch.items[0]);
			FUZZ_CHECK(slice_equal(buf_slice(&b), buf_slice(&c)));
		}
		buf_free(&b);
		buf_free(&c);
	}
}

/* check - what a parsed command holds */
static void
check(struct arena *a, struct imap_command *cmd)
{
	FUZZ_CHECK(cmd->id < IMAP_CMD_COUNT && cmd->tag.len > 0);
	if (cmd->mailbox.name.len > 0)
		check_mailbox(a, cmd->mailbox.name);
	if (cmd->set.count > 0)
		check_set(a, &cmd->set);
	if (cmd->id == IMAP_CMD_FETCH)
		check_fetch(a, &cmd->fetch);
	if (cmd->id == IMAP_CMD_LIST || cmd->id == IMAP_CMD_LSUB)
		for (size_t i = 0; i < cmd->list.pattern_count; i++)
			(void)imap_match(cmd->list.patterns[i], S("INBOX/x"));
}

FUZZ(imap)
{
	struct imap_segment s[SEGMENTS_MAX];
	struct arena	a = ARENA_INIT;
	struct imap_command cmd;
	struct imap_append append;
	struct imap_fault fault;
	size_t		n = 0;

	while (n < SEGMENTS_MAX) {
		struct imap_literal literal;
		size_t	end = slice_find(input, '\n');
		int	r;

		s[n] = (struct imap_segment){ slice_sub(input, 0, end),
			SLICE_EMPTY, false };
		input = slice_from(input, end == SLICE_NONE ? end : end + 1);
		r = imap_literal_at_end(s[n++].text, &literal);
		if (r != 1 || literal.size > input.len)
			break;
		if (imap_parse_append(&a, s, n, &cmd, &append, &fault) == 1)
			check_mailbox(&a, append.mailbox.name);
		s[n - 1].literal = slice_sub(input, 0, literal.size);
		s[n - 1].has_literal = true;
		input = slice_from(input, literal.size);
	}
	if (imap_parse(&a, s, n, &cmd, &fault) == 0)
		check(&a, &cmd);
	else
		FUZZ_CHECK(fault.text[0] != '\0' &&
		    strlen(fault.text) < IMAP_FAULT_MAX);
	arena_free(&a);
}
