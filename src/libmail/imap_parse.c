/* SPDX-License-Identifier: ISC */
/*
 * Tag, name, and then the grammar that the table names for the arguments;
 * every grammar begins before the space that precedes its first argument.
 */
#include "libmail/imap_parse.h"

#include "libmail/imap_words.h"

#include <stdio.h>

#define STATES_ANY	(IMAP_STATE_BEFORE | IMAP_STATE_AUTHENTICATED | \
			    IMAP_STATE_SELECTED)
#define STATES_BEFORE	IMAP_STATE_BEFORE
#define STATES_AUTHENTICATED (IMAP_STATE_AUTHENTICATED | IMAP_STATE_SELECTED)
#define STATES_SELECTED	IMAP_STATE_SELECTED

static const struct imap_word use_words[] = {
#define MAILBOX_USE(id, bit, name) { S_INIT(name), IMAP_USE_##id },
#include "libmail/imap_uses.def"
};
static const struct imap_words uses = IMAP_WORDS("special use", use_words);

/* lex_none - no arguments */
static int
lex_none(struct imap_lex *l, struct imap_command *cmd)
{
	(void)l;
	(void)cmd;
	return 0;
}

/* lex_spaced_mailbox - a space and a mailbox name */
static int
lex_spaced_mailbox(struct imap_lex *l, struct imap_mailbox *ret_mailbox)
{
	int	r = imap_lex_space(l);

	return r < 0 ? r : imap_lex_mailbox(l, ret_mailbox);
}

/* lex_mailbox - one mailbox */
static int
lex_mailbox(struct imap_lex *l, struct imap_command *cmd)
{
	return lex_spaced_mailbox(l, &cmd->mailbox);
}

/* lex_rename - two mailboxes */
static int
lex_rename(struct imap_lex *l, struct imap_command *cmd)
{
	int	r = lex_spaced_mailbox(l, &cmd->mailbox);

	return r < 0 ? r : lex_spaced_mailbox(l, &cmd->rename.to);
}

/* lex_create - a mailbox and perhaps what it is for (RFC 6154 3) */
static int
lex_create(struct imap_lex *l, struct imap_command *cmd)
{
	int	r = lex_spaced_mailbox(l, &cmd->mailbox);

	if (r < 0 || !cursor_skip_byte(&l->c, ' '))
		return r;
	if (!imap_lex_skip(l, S("(USE ")))
		return imap_lex_fail(l, "expected \"(USE (...))\" instead of "
		    "%s", imap_lex_next(l));
	if ((r = imap_lex_bits(l, &uses, true, &cmd->create.uses)) < 0)
		return r;
	return imap_lex_close(l, "CREATE");
}

/* lex_login - user name and password */
static int
lex_login(struct imap_lex *l, struct imap_command *cmd)
{
	int	r;

	if ((r = imap_lex_space(l)) < 0 ||
	    (r = imap_lex_astring(l, "user name", &cmd->login.user)) < 0 ||
	    (r = imap_lex_space(l)) < 0)
		return r;
	return imap_lex_astring(l, "password", &cmd->login.password);
}

/* is_base64_char - of an initial response; "=" is also the empty one */
static bool
is_base64_char(char c)
{
	return ascii_is_alnum(c) || c == '+' || c == '/' || c == '=';
}

/* lex_authenticate - a mechanism and perhaps its first response */
static int
lex_authenticate(struct imap_lex *l, struct imap_command *cmd)
{
	int	r;

	if ((r = imap_lex_space(l)) < 0 ||
	    (r = imap_lex_atom(l, "mechanism",
	    &cmd->authenticate.mechanism)) < 0)
		return r;
	if (!cursor_skip_byte(&l->c, ' '))
		return 0;
	cmd->authenticate.initial = cursor_take_while(&l->c, is_base64_char);
	cmd->authenticate.has_initial = true;
	if (cmd->authenticate.initial.len == 0)
		return imap_lex_fail(l, "the initial response is not base64");
	return 0;
}

/* lex_enable - names of capabilities */
static int
lex_enable(struct imap_lex *l, struct imap_command *cmd)
{
	int	r;

	cmd->enable.names = ARENA_ARRAY(l->arena, struct slice,
	    IMAP_ENABLE_MAX);
	if ((r = imap_lex_space(l)) < 0)
		return r;
	do {
		if (cmd->enable.count == IMAP_ENABLE_MAX)
			return imap_lex_fail(l, "more than %d capabilities",
			    IMAP_ENABLE_MAX);
		if ((r = imap_lex_atom(l, "capability",
		    &cmd->enable.names[cmd->enable.count])) < 0)
			return r;
		cmd->enable.count++;
	} while (cursor_skip_byte(&l->c, ' '));
	return 0;
}

/* lex_id_pair - one field and its value */
static int
lex_id_pair(struct imap_lex *l, struct imap_id_pair *pair)
{
	int	r;

	if ((r = imap_lex_string(l, "ID field", &pair->field)) < 0 ||
	    (r = imap_lex_space(l)) < 0 ||
	    (r = imap_lex_nstring(l, "ID value", &pair->value)) < 0)
		return r;
	if (pair->field.len > IMAP_ID_FIELD_MAX ||
	    pair->value.len > IMAP_ID_VALUE_MAX)
		return imap_lex_fail(l, "ID field \"%s\" is too long",
		    imap_echo(l->arena, pair->field));
	return 0;
}

/* lex_id - NIL or pairs of field and value (RFC 2971 4) */
static int
lex_id(struct imap_lex *l, struct imap_command *cmd)
{
	int	r;

	if ((r = imap_lex_space(l)) < 0)
		return r;
	if (imap_lex_skip(l, S("NIL")))
		return 0;
	cmd->client.pairs = ARENA_ARRAY(l->arena, struct imap_id_pair,
	    IMAP_ID_PAIRS_MAX);
	if ((r = imap_lex_open(l, "ID")) < 0)
		return r;
	while (cursor_peek(&l->c) != ')') {
		if (cmd->client.count == IMAP_ID_PAIRS_MAX)
			return imap_lex_fail(l, "more than %d ID fields",
			    IMAP_ID_PAIRS_MAX);
		if (cmd->client.count > 0 && (r = imap_lex_space(l)) < 0)
			return r;
		if ((r = lex_id_pair(l, &cmd->client.pairs[cmd->client.count])) < 0)
			return r;
		cmd->client.count++;
	}
	return imap_lex_close(l, "ID");
}

/* lex_lsub - a reference and a pattern */
static int
lex_lsub(struct imap_lex *l, struct imap_command *cmd)
{
	return imap_lex_lsub(l, &cmd->list);
}

/* lex_list - LIST, its extensions included */
static int
lex_list(struct imap_lex *l, struct imap_command *cmd)
{
	return imap_lex_list(l, &cmd->list);
}

/* lex_status - a mailbox and items */
static int
lex_status(struct imap_lex *l, struct imap_command *cmd)
{
	int	r;

	if ((r = lex_spaced_mailbox(l, &cmd->mailbox)) < 0 ||
	    (r = imap_lex_space(l)) < 0)
		return r;
	return imap_lex_status_items(l, &cmd->status.items);
}

/* lex_spaced_set - a space and the messages meant */
static int
lex_spaced_set(struct imap_lex *l, struct imap_command *cmd)
{
	int	r = imap_lex_space(l);

	if (r < 0)
		return r;
	return imap_lex_seqset(l, cmd->by_uid ? "UID set" : "message set",
	    &cmd->set);
}

/* lex_expunge - the messages meant, with UID only (RFC 4315 2.1) */
static int
lex_expunge(struct imap_lex *l, struct imap_command *cmd)
{
	return cmd->by_uid ? lex_spaced_set(l, cmd) : 0;
}

/* lex_search - return options, charset, keys */
static int
lex_search(struct imap_lex *l, struct imap_command *cmd)
{
	return imap_lex_search(l, &cmd->search);
}

/* lex_fetch - messages and items */
static int
lex_fetch(struct imap_lex *l, struct imap_command *cmd)
{
	int	r;

	if ((r = lex_spaced_set(l, cmd)) < 0 || (r = imap_lex_space(l)) < 0)
		return r;
	return imap_lex_fetch(l, &cmd->fetch);
}

/* lex_store - messages, what to do, flags */
static int
lex_store(struct imap_lex *l, struct imap_command *cmd)
{
	struct slice	word;
	int		r;

	if ((r = lex_spaced_set(l, cmd)) < 0 || (r = imap_lex_space(l)) < 0)
		return r;
	cmd->store.how = cursor_skip_byte(&l->c, '+') ? IMAP_STORE_ADD :
	    cursor_skip_byte(&l->c, '-') ? IMAP_STORE_REMOVE : IMAP_STORE_SET;
	word = imap_lex_word(l);
	cmd->store.silent = slice_equal_nocase(word, S("FLAGS.SILENT"));
	if (!cmd->store.silent && !slice_equal_nocase(word, S("FLAGS")))
		return imap_lex_fail(l, "expected FLAGS or FLAGS.SILENT "
		    "before %s", imap_lex_next(l));
	if ((r = imap_lex_space(l)) < 0)
		return r;
	return imap_lex_flags(l, &cmd->store.flags);
}

/* lex_copy - messages and where to */
static int
lex_copy(struct imap_lex *l, struct imap_command *cmd)
{
	int	r = lex_spaced_set(l, cmd);

	return r < 0 ? r : lex_spaced_mailbox(l, &cmd->mailbox);
}

/* lex_append - never whole here: see imap_parse_append */
static int
lex_append(struct imap_lex *l, struct imap_command *cmd)
{
	(void)cmd;
	return imap_lex_fail(l, "the message must come as a literal at the "
	    "end of the line");
}

static const struct {
	const char	*name;
	uint32_t	states;
	enum { UID_NO, UID_MAY } uid;
	int		(*arguments)(struct imap_lex *, struct imap_command *);
} commands[] = {
#define IMAP_COMMAND(id, name, states, uid, arguments, handler) \
	{ name, STATES_##states, UID_##uid, lex_##arguments },
#include "libmail/imap_cmds.def"
};

/* imap_command_name - as in the replies */
const char *
imap_command_name(enum imap_command_id id)
{
	return commands[id].name;
}

/* imap_command_states - where it may be used */
uint32_t
imap_command_states(enum imap_command_id id)
{
	return commands[id].states;
}

/* lex_command_name - the name of the command, with UID perhaps before it */
static int
lex_command_name(struct imap_lex *l, struct imap_command *cmd)
{
	struct slice	word = imap_lex_word(l);

	if (slice_equal_nocase(word, S("UID")) &&
	    cursor_skip_byte(&l->c, ' ')) {
		cmd->by_uid = true;
		word = imap_lex_word(l);
	}
	for (size_t i = 0; i < COUNT(commands); i++) {
		if (!slice_equal_nocase(word, slice_of(commands[i].name)))
			continue;
		if (cmd->by_uid && commands[i].uid == UID_NO)
			return imap_lex_fail(l, "there is no command UID %s",
			    commands[i].name);
		cmd->id = (enum imap_command_id)i;
		return 0;
	}
	if (word.len == 0)
		return imap_lex_fail(l, "expected a command instead of %s",
		    imap_lex_next(l));
	return imap_lex_fail(l, "there is no command \"%s\"",
	    imap_echo(l->arena, word));
}

/* lex_head - tag and name */
static int
lex_head(struct imap_lex *l, struct imap_command *cmd)
{
	struct slice	tag;
	int		r;

	if ((r = imap_lex_tag(l, &tag)) < 0)
		return r;
	if (tag.len > IMAP_TAG_MAX)
		return imap_lex_fail(l, "the tag is longer than %d bytes",
		    IMAP_TAG_MAX);
	if (cursor_peek(&l->c) != ' ')
		return imap_lex_fail(l, "tag: unexpected %s",
		    imap_lex_next(l));
	cmd->tag = l->fault->tag = tag;
	(void)cursor_byte(&l->c);
	return lex_command_name(l, cmd);
}

/* fail_in - put the name of the command before the sentence */
static int
fail_in(struct imap_fault *fault, const struct imap_command *cmd, int r)
{
	char	text[IMAP_FAULT_MAX];

	memcpy(text, fault->text, sizeof(text));
	/* cut where it is too long */
	(void)snprintf(fault->text, sizeof(fault->text), "%s%s: %.*s",
	    cmd->by_uid ? "UID " : "", commands[cmd->id].name,
	    (int)sizeof(text) - 20, text);
	return r;
}

/* imap_parse - a whole command */
int
imap_parse(struct arena *a, const struct imap_segment *segments, size_t count,
    struct imap_command *ret_command, struct imap_fault *fault)
{
	struct imap_command	cmd = { .by_uid = false };
	struct imap_lex		l;
	int			r;

	imap_lex_init(&l, segments, count, a, fault);
	if ((r = lex_head(&l, &cmd)) < 0)
		return r;
	if ((r = commands[cmd.id].arguments(&l, &cmd)) < 0 ||
	    (r = imap_lex_end(&l)) < 0)
		return fail_in(fault, &cmd, r);
	*ret_command = cmd;
	return 0;
}

/* lex_append_options - flags and date, each with its space, if they come */
static int
lex_append_options(struct imap_lex *l, struct imap_append *ap)
{
	int	r;

	if (cursor_peek(&l->c) == ' ' && cursor_peek_at(&l->c, 1) == '(') {
		(void)cursor_byte(&l->c);
		if ((r = imap_lex_flag_list(l, &ap->flags)) < 0)
			return r;
	}
	if (cursor_peek(&l->c) == ' ' && cursor_peek_at(&l->c, 1) == '"') {
		(void)cursor_byte(&l->c);
		if ((r = imap_lex_moment(l, &ap->date)) < 0)
			return r;
		ap->has_date = true;
	}
	return 0;
}

/* lex_append_head - the arguments up to the literal; 0 if an argument is in
 * the literal to come, 1 if that is the message */
static int
lex_append_head(struct imap_lex *l, struct imap_append *ap)
{
	int	r;

	if ((r = imap_lex_space(l)) < 0)
		return r;
	if (cursor_peek(&l->c) == '{' && l->at + 1 == l->count)
		return 0;		/* the mailbox name */
	if ((r = imap_lex_mailbox(l, &ap->mailbox)) < 0 ||
	    (r = lex_append_options(l, ap)) < 0 ||
	    (r = imap_lex_space(l)) < 0)
		return r;
	if (cursor_peek(&l->c) != '{' && cursor_peek(&l->c) != '~')
		return imap_lex_fail(l, "expected the message as a literal "
		    "instead of %s", imap_lex_next(l));
	if (imap_literal_at_end(cursor_rest(&l->c), &ap->literal) != 1 ||
	    slice_find(cursor_rest(&l->c), '}') + 1 != cursor_left(&l->c))
		return imap_lex_fail(l, "bad literal %s", imap_lex_next(l));
	if (ap->literal.binary)
		return imap_lex_fail(l, "binary literals are not supported");
	return 1;
}

/* imap_parse_append - is the literal to come the message of an APPEND? */
int
imap_parse_append(struct arena *a, const struct imap_segment *segments,
    size_t count, struct imap_command *ret_command,
    struct imap_append *ret_append, struct imap_fault *fault)
{
	struct imap_command	cmd = { .by_uid = false };
	struct imap_append	append = { .has_date = false };
	struct imap_lex		l;
	int			r;

	imap_lex_init(&l, segments, count, a, fault);
	if (lex_head(&l, &cmd) < 0 || cmd.id != IMAP_CMD_APPEND)
		return 0;		/* imap_parse will say what is wrong */
	if ((r = lex_append_head(&l, &append)) < 0)
		return fail_in(fault, &cmd, r);
	if (r == 0)
		return 0;
	*ret_command = cmd;
	*ret_append = append;
	return 1;
}

/* imap_format_uses - the names */
bool
imap_format_uses(struct buf *out, uint32_t bits)
{
	bool	some = false;

	for (size_t i = 0; i < COUNT(use_words); i++) {
		if ((bits & use_words[i].bit) == 0)
			continue;
		if (some)
			buf_add_byte(out, ' ');
		buf_add(out, use_words[i].name);
		some = true;
	}
	return some;
}
