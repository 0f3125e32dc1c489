/* SPDX-License-Identifier: ISC */
/* The table of commands, and those that need few lines. */
#include "smtpd/smtpd.h"
#include "smtpd/smtpd_events.h"

static int
cmd_rset(struct task *t, struct smtpd_client *c, struct slice args)
{
	(void)args;
	txn_reset(c);
	return smtpd_reply(t, c, 250, "2.0.0 Ok");
}

static int
cmd_noop(struct task *t, struct smtpd_client *c, struct slice args)
{
	(void)args;
	return smtpd_reply(t, c, 250, "2.0.0 Ok");
}

static int
cmd_help(struct task *t, struct smtpd_client *c, struct slice args)
{
	(void)args;
	return smtpd_reply(t, c, 214, "2.0.0 See RFC 5321");
}

static int
cmd_vrfy(struct task *t, struct smtpd_client *c, struct slice args)
{
	struct addr	addr = ADDR_INIT;
	struct status	bad;
	struct buf	text = BUF_INIT;
	struct arena	a = ARENA_INIT;
	unsigned	flags = c->p->smtputf8_enable ? SMTP_UTF8 : 0;
	int		r;

	if (c->p->disable_vrfy_command) {
		c->errors++;
		return smtpd_reply(t, c, 502, "5.5.1 VRFY command is disabled");
	}
	if (smtp_parse_vrfy(args, &a, flags, &addr, &bad) < 0) {
		r = smtpd_refuse(t, c, "VRFY", SLICE_EMPTY, &bad);
	} else {
		/* RFC 5321 3.5.3: we do not say who exists */
		addr_format(&text, &addr);
		r = smtpd_reply(t, c, 252, "2.0.0 %.*s", SLICE_ARG(buf_slice(&text)));
	}
	buf_free(&text);
	arena_free(&a);
	return r;
}

static int
cmd_quit(struct task *t, struct smtpd_client *c, struct slice args)
{
	(void)args;
	c->quit = true;
	return smtpd_reply(t, c, 221, "2.0.0 Bye");
}

typedef int	cmd_fn(struct task *t, struct smtpd_client *c, struct slice args);

struct command {
	enum smtp_verb	 verb;
	unsigned	 states;
	bool		 pipelined;
	bool		 junk;
	cmd_fn		*run;
};

static const struct command commands[] = {
#define CMD(verb, states, pipelined, junk, handler) \
	{ SMTP_VERB_##verb, (states), pipelined, junk, handler },
#include "smtpd/smtpd_cmds.def"
};

/* is_spoken - LMTP has a hello of its own, and must not know SMTP's (RFC 2033
 * 4.1); nobody logs in who hands over other people's mail */
static bool
is_spoken(const struct smtpd_client *c, enum smtp_verb verb)
{
	if (c->lmtp)
		return verb != SMTP_VERB_EHLO && verb != SMTP_VERB_HELO &&
		    verb != SMTP_VERB_AUTH;
	return verb != SMTP_VERB_LHLO;
}

static const struct command *
find(const struct smtpd_client *c, enum smtp_verb verb)
{
	if (!is_spoken(c, verb))
		return NULL;
	for (size_t i = 0; i < COUNT(commands); i++)
		if (commands[i].verb == verb)
			return &commands[i];
	return NULL;
}

static bool
in_list(const struct param_list *list, struct slice word)
{
	for (size_t i = 0; i < list->count; i++)
		if (slice_equal_nocase(list->item[i], word))
			return true;
	return false;
}

/* out_of_order - why a command is not allowed now */
static int
out_of_order(struct task *t, struct smtpd_client *c, const struct command *cmd)
{
	const char *need = "send MAIL first";

	c->errors++;
	if (c->state == IN_BDAT)
		need = "nothing but BDAT or RSET may come between chunks";
	else if (c->state == IN_START)
		need = c->lmtp ? "send LHLO first" : "send HELO/EHLO first";
	else if (cmd->verb == SMTP_VERB_MAIL)
		need = "nested MAIL command";
	else if (cmd->verb == SMTP_VERB_DATA && c->state == IN_MAIL)
		/* RFC 2033 4.2 wants 503 */
		return smtpd_reply(t, c, c->lmtp ? 503 : 554,
		    "5.5.1 Error: no valid recipients");
	else if (c->state >= IN_MAIL)
		need = "not within a mail transaction";
	return smtpd_reply(t, c, 503, "5.5.1 Error: %s", need);
}

/* unknown - not one of our commands */
static int
unknown(struct task *t, struct smtpd_client *c, struct slice word,
    struct slice line)
{
	if (in_list(&c->p->smtpd_forbidden_commands, word)) {
		log_event(&c->log, EV_SMTPD_NON_SMTP,
		    KV_STR("line", slice_sub(line, 0, 100)));
		c->quit = true;
		c->errors++;
		return smtpd_reply(t, c, 221, "2.7.0 Error: I can break rules, "
		    "too. Goodbye.");
	}
	if (in_list(&c->p->smtpd_noop_commands, word))
		return smtpd_reply(t, c, 250, "2.0.0 Ok");
	c->errors++;
	return smtpd_reply(t, c, 500, "5.5.2 Error: command not recognized");
}

/* spoke_early - is there input behind a command whose answer must be seen? */
static bool
spoke_early(struct smtpd_client *c, const struct command *cmd)
{
	if (!c->p->smtpd_forbid_unauth_pipelining)
		return false;
	if (c->esmtp && cmd->pipelined)
		return false;
	/* RFC 2920 3.1: these may only stand last in a group */
	return stream_buffered(&c->stream).len > 0;
}

/* run - one command that may run */
static int
run(struct task *t, struct smtpd_client *c, const struct command *cmd,
    struct slice args)
{
	struct status	bad;
	uint32_t	errors = c->errors;
	int		r;

	if (smtp_check_args(cmd->verb, args, &bad) < 0)
		r = smtpd_refuse(t, c, smtp_verb_name(cmd->verb), SLICE_EMPTY,
		    &bad);
	else
		r = cmd->run(t, c, args);
	if (c->errors == errors)
		c->accepted[cmd->verb]++;
	if (cmd->junk && c->state < IN_MAIL &&
	    ++c->junk > (uint64_t)c->p->smtpd_junk_command_limit)
		c->errors++;
	return r;
}

/* smtpd_command - do what one line says */
int
smtpd_command(struct task *t, struct smtpd_client *c, struct slice line)
{
	struct slice		 word, args;
	enum smtp_verb		 verb = smtp_parse_verb(line, &word, &args);
	const struct command	*cmd = find(c, verb);
	uint32_t		 errors = c->errors;
	int			 r;

	c->given[cmd == NULL ? SMTP_VERB_NONE : verb]++;
	c->after = cmd == NULL ? "UNKNOWN" : smtp_verb_name(verb);
	if (cmd != NULL && spoke_early(c, cmd)) {
		log_event(&c->log, EV_SMTPD_PIPELINING,
		    KV_TEXT("after", c->after));
		c->quit = true;
		c->errors++;
		return smtpd_reply(t, c, 503, "5.5.1 Error: SMTP protocol "
		    "synchronization");
	}
	if (cmd == NULL)
		r = unknown(t, c, word, line);
	else if ((cmd->states & c->state) != 0)
		r = run(t, c, cmd, args);
	else if ((r = out_of_order(t, c, cmd)) == 0 && verb == SMTP_VERB_BDAT)
		r = smtpd_discard_chunk(t, c, args);
	if (r == 0 && c->errors > errors &&
	    c->errors > (uint64_t)c->p->smtpd_soft_error_limit) {
		/* what was answered before does not wait with it */
		r = stream_flush(t, &c->stream);
		if (r == 0)
			r = task_sleep(t, c->p->smtpd_error_sleep_time);
	}
	return r;
}
