/* SPDX-License-Identifier: ISC */
/* Rows become structs; the tables of names serve both directions. */
#include "libglobal/mastercf.h"

#include "libglobal/mastercf_lex.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/conf.h"
#include "libutil/diag.h"
#include "libutil/hash.h"

#define FIELD_COUNT	8
#define WAKEUP_MAX	(365u * 86400)
#define MAXPROC_MAX	1000000u

static const char *const type_names[] = {
	[MASTERCF_INET] = "inet",
	[MASTERCF_UNIX] = "unix",
	[MASTERCF_UNIX_DGRAM] = "unix-dgram",
	[MASTERCF_PASS] = "pass",
	[MASTERCF_FIFO] = "fifo",
};

static const char *const field_names[FIELD_COUNT] = {
	[MASTERCF_SERVICE] = "service",
	[MASTERCF_TYPE] = "type",
	[MASTERCF_PRIVATE] = "private",
	[MASTERCF_UNPRIVILEGED] = "unprivileged",
	[MASTERCF_CHROOT] = "chroot",
	[MASTERCF_WAKEUP] = "wakeup",
	[MASTERCF_MAXPROC] = "process_limit",
	[MASTERCF_COMMAND] = "command",
};

static const struct mastercf_command commands[] = {
#define COMMAND(name, daemon, how, sentence) { name, daemon, how, sentence },
#include "libglobal/mastercf_commands.def"
};

/* mastercf_type_name - "inet" and its like */
const char *
mastercf_type_name(enum mastercf_type type)
{
	return type_names[type];
}

/* mastercf_type_parse - a type by its name */
int
mastercf_type_parse(struct slice s, enum mastercf_type *ret_type)
{
	for (size_t i = 0; i < COUNT(type_names); i++)
		if (slice_equal(s, slice_of(type_names[i]))) {
			*ret_type = (enum mastercf_type)i;
			return 0;
		}
	return -EBADMSG;
}

/* mastercf_field_name - as postconf -F calls it */
const char *
mastercf_field_name(enum mastercf_field field)
{
	return field_names[field];
}

/* mastercf_field_parse - a field by its name */
int
mastercf_field_parse(struct slice s, enum mastercf_field *ret_field)
{
	for (size_t i = 0; i < COUNT(field_names); i++)
		if (slice_equal(s, slice_of(field_names[i]))) {
			*ret_field = (enum mastercf_field)i;
			return 0;
		}
	return -EBADMSG;
}

/* mastercf_command_at - walk the commands */
const struct mastercf_command *
mastercf_command_at(size_t i)
{
	return i < COUNT(commands) ? &commands[i] : NULL;
}

/* mastercf_command_find - a command by its name */
const struct mastercf_command *
mastercf_command_find(struct slice name)
{
	for (size_t i = 0; i < COUNT(commands); i++)
		if (slice_equal(name, slice_of(commands[i].name)))
			return &commands[i];
	return NULL;
}

/* what a row is parsed with */
struct parser {
	const struct mastercf_row	*row;
	struct arena			*arena;
	struct diag			*diag;
};

/* complain - a finding about one word */
static int
complain(const struct parser *p, size_t word, const char *what)
{
	const struct mastercf_word *w = &p->row->word[word];

	return diag_set(p->diag, w->line, 0, "\"%.*s\" in the field \"%s\": %s",
	    SLICE_ARG(w->value),
	    field_names[word < MASTERCF_COMMAND ? word : MASTERCF_COMMAND],
	    what);
}

/* parse_flag - y, n or - */
static int
parse_flag(const struct parser *p, size_t word, enum mastercf_flag *ret_flag)
{
	struct slice s = p->row->word[word].value;

	if (slice_equal(s, S("-")))
		*ret_flag = MASTERCF_DEFAULT;
	else if (slice_equal(s, S("y")))
		*ret_flag = MASTERCF_YES;
	else if (slice_equal(s, S("n")))
		*ret_flag = MASTERCF_NO;
	else
		return complain(p, word, "expected y, n or -");
	return 0;
}

/* parse_wakeup - seconds, with ? behind them or not, or - */
static int
parse_wakeup(const struct parser *p, struct mastercf_service *s)
{
	struct slice v = p->row->word[MASTERCF_WAKEUP].value;

	if (slice_equal(v, S("-")))
		return 0;
	if (slice_has_suffix(v, S("?"))) {
		s->wakeup_if_used = true;
		v = slice_sub(v, 0, v.len - 1);
	}
	if (slice_to_u32(v, WAKEUP_MAX, &s->wakeup) < 0)
		return complain(p, MASTERCF_WAKEUP,
		    "expected seconds, as in 60 or 60?, or -");
	return 0;
}

/* parse_maxproc - a number or - */
static int
parse_maxproc(const struct parser *p, struct mastercf_service *s)
{
	struct slice v = p->row->word[MASTERCF_MAXPROC].value;

	s->maxproc_default = slice_equal(v, S("-"));
	if (!s->maxproc_default &&
	    slice_to_u32(v, MAXPROC_MAX, &s->maxproc) < 0)
		return complain(p, MASTERCF_MAXPROC,
		    "expected a number of processes (0: no limit) or -");
	return 0;
}

/* check_name - is it a name that a socket can have? */
static int
check_name(const struct parser *p, const struct mastercf_service *s)
{
	struct slice host, port;

	for (size_t i = 0; i < s->name.len; i++)
		if ((unsigned char)s->name.data[i] <= ' ' ||
		    strchr("{}#\x7f", s->name.data[i]) != NULL)
			return complain(p, 0, "no service can have that in "
			    "its name: blanks, control characters, {, }, #");
	if (s->type == MASTERCF_INET)
		return mastercf_split_inet(s->name, &host, &port) < 0 ?
		    complain(p, 0, "expected port, host:port or [host]:port") :
		    0;
	if (s->name.data[0] == '/' || s->name.data[0] == '.' ||
	    slice_find_slice(s->name, S("/.")) != SLICE_NONE)
		return complain(p, 0, "expected a name without / at its start "
		    "and without dots at the start of a part");
	return 0;
}

/* add_override - the argument of an -o */
static int
add_override(const struct parser *p, struct mastercf_service *s, size_t word,
    struct slice text)
{
	struct mastercf_override *o = &s->override[s->override_count];
	struct slice value = text, name;

	if (slice_find(text, '=') == SLICE_NONE)
		return complain(p, word, "expected -o name=value or "
		    "-o { name = value }");
	name = slice_trim(slice_split(&value, '='));
	value = slice_trim(value);
	if (!conf_is_name(name))
		return complain(p, word, "what stands before the = is no "
		    "parameter name");
	o->name = arena_dup(p->arena, name);
	o->value = arena_dup(p->arena, value);
	o->line = p->row->word[word].line;
	s->override_count++;
	return 0;
}

/* mastercf_is_run_of - is it - and then that letter only? */
bool
mastercf_is_run_of(struct slice s, char letter)
{
	for (size_t i = 1; i < s.len; i++)
		if (s.data[i] != letter)
			return false;
	return s.len > 1 && s.data[0] == '-';
}

/* parse_options - what stands behind the command, up to the first word that
 * is no option; says in *ret_next which that is */
static int
parse_options(const struct parser *p, struct mastercf_service *s,
    size_t *ret_next)
{
	const struct mastercf_row *row = p->row;
	size_t i;
	int r;

	for (i = FIELD_COUNT; i < row->count; i++) {
		struct slice v = row->word[i].value;

		if (row->word[i].braced || v.data[0] != '-' || v.len < 2)
			break;
		if (mastercf_is_run_of(v, 'v')) {
			s->verbose += (unsigned)v.len - 1;
		} else if (mastercf_is_run_of(v, 'D')) {
			s->debug = true;
		} else if (slice_has_prefix(v, S("-o"))) {
			if (v.len == 2 && ++i == row->count)
				return complain(p, i - 1, "there is nothing "
				    "behind -o");
			r = add_override(p, s, i, v.len > 2 ?
			    slice_from(v, 2) : row->word[i].value);
			if (r < 0)
				return r;
		} else {
			break;
		}
	}
	*ret_next = i;
	return 0;
}

/* parse_command - the last field */
static int
parse_command(const struct parser *p, struct mastercf_service *s)
{
	const struct mastercf_row *row = p->row;
	size_t rest = row->count - FIELD_COUNT, next = 0;
	int r;

	s->command = arena_dup(p->arena, row->word[MASTERCF_COMMAND].value);
	if (s->command.len == 0)
		return complain(p, MASTERCF_COMMAND, "it is empty");
	if (rest == 0)
		return 0;
	s->override = ARENA_ARRAY(p->arena, struct mastercf_override, rest);
	s->arg = ARENA_ARRAY(p->arena, struct slice, rest);
	if ((r = parse_options(p, s, &next)) < 0)
		return r;
	for (; next < row->count; next++)
		s->arg[s->arg_count++] = arena_dup(p->arena,
		    row->word[next].value);
	return 0;
}

/* parse_row - words into a struct */
static int
parse_row(const struct parser *p, struct mastercf_service *ret_service)
{
	const struct mastercf_row *row = p->row;
	struct mastercf_service s = { .line = row->line };
	int r;

	if (row->count < FIELD_COUNT)
		return diag_set(p->diag, row->line, 0, "the row has %zu of its "
		    "8 fields: service type private unpriv chroot wakeup "
		    "maxproc command", row->count);
	s.name = arena_dup(p->arena, row->word[MASTERCF_SERVICE].value);
	if (s.name.len == 0)
		return complain(p, MASTERCF_SERVICE, "it is empty");
	if (mastercf_type_parse(row->word[MASTERCF_TYPE].value, &s.type) < 0)
		return complain(p, MASTERCF_TYPE,
		    "expected inet, unix, unix-dgram, pass or fifo");
	if ((r = check_name(p, &s)) < 0 ||
	    (r = parse_flag(p, MASTERCF_PRIVATE, &s.is_private)) < 0 ||
	    (r = parse_flag(p, MASTERCF_UNPRIVILEGED, &s.unprivileged)) < 0 ||
	    (r = parse_flag(p, MASTERCF_CHROOT, &s.chroot)) < 0 ||
	    (r = parse_wakeup(p, &s)) < 0 || (r = parse_maxproc(p, &s)) < 0 ||
	    (r = parse_command(p, &s)) < 0)
		return r;
	if (s.type == MASTERCF_INET && s.is_private == MASTERCF_YES)
		return complain(p, MASTERCF_PRIVATE,
		    "an inet service cannot be private");
	*ret_service = s;
	return 0;
}

/* put_service - add a row, or put it in place of an earlier one */
static int
put_service(struct mastercf *cf, struct hash *seen, size_t *room,
    struct arena *a, const struct mastercf_service *s)
{
	struct buf key = BUF_INIT;
	struct mastercf_service *more, *old;
	uintptr_t index;

	buf_addf(&key, "%s/", type_names[s->type]);
	buf_add(&key, s->name);
	index = (uintptr_t)hash_get(seen, buf_slice(&key));
	if (index > 0) {
		/* the later row counts, at the place where it stands */
		old = &cf->service[index - 1];
		cf->replaced_line = old->line;
		*old = *s;
		buf_free(&key);
		return 0;
	}
	if (cf->count == *room) {
		*room = *room == 0 ? 32 : *room * 2;
		more = ARENA_ARRAY(a, struct mastercf_service, *room);
		if (cf->count > 0)
			memcpy(more, cf->service, cf->count * sizeof(*more));
		cf->service = more;
	}
	cf->service[cf->count++] = *s;
	(void)hash_put(seen, buf_slice(&key), (void *)(uintptr_t)cf->count);
	buf_free(&key);
	return cf->count > MASTERCF_SERVICES_MAX ? -EMSGSIZE : 0;
}

/* mastercf_parse - a whole file */
int
mastercf_parse(struct slice text, const char *file, struct arena *a,
    struct diag *d, struct mastercf *ret_cf)
{
	struct mastercf_lexer l = { text, 0, 1, a, d };
	struct mastercf cf = { NULL, 0, 0 };
	struct hash seen = HASH_INIT;
	struct mastercf_service s;
	struct mastercf_row row;
	struct parser p = { &row, a, d };
	size_t room = 0;
	int r;

	while ((r = mastercf_lex_row(&l, &row)) > 0) {
		if ((r = parse_row(&p, &s)) < 0)
			break;
		if ((r = put_service(&cf, &seen, &room, a, &s)) < 0) {
			r = diag_set(d, row.line, 0, "more than %d services",
			    MASTERCF_SERVICES_MAX);
			break;
		}
	}
	hash_free(&seen);
	if (r < 0) {
		diag_file(d, file);
		return r;
	}
	*ret_cf = cf;
	return 0;
}

/* mastercf_find - a row by name and type */
const struct mastercf_service *
mastercf_find(const struct mastercf *cf, struct slice name,
    enum mastercf_type type)
{
	for (size_t i = 0; i < cf->count; i++)
		if (cf->service[i].type == type &&
		    slice_equal(cf->service[i].name, name))
			return &cf->service[i];
	return NULL;
}

static const struct { const char *name, *port; } known_ports[] = {
	{ "smtp", "25" }, { "smtps", "465" }, { "submissions", "465" },
	{ "submission", "587" }, { "lmtp", "24" }, { "imap", "143" },
	{ "imaps", "993" }, { "pop3", "110" }, { "pop3s", "995" },
	{ "sieve", "4190" },
};

/* mastercf_port - the number of a port's name */
const char *
mastercf_port(const char *name)
{
	for (size_t i = 0; i < COUNT(known_ports); i++)
		if (strcmp(known_ports[i].name, name) == 0)
			return known_ports[i].port;
	return name;
}

/* mastercf_split_inet - host and port */
int
mastercf_split_inet(struct slice name, struct slice *ret_host,
    struct slice *ret_port)
{
	struct slice host = SLICE_EMPTY, port = name;
	size_t colon = slice_find_last(name, ':');

	if (colon != SLICE_NONE) {
		host = slice_sub(name, 0, colon);
		port = slice_from(name, colon + 1);
	}
	if (host.len > 0 && host.data[0] == '[') {
		if (host.len < 3 || host.data[host.len - 1] != ']')
			return -EBADMSG;
		host = slice_sub(host, 1, host.len - 2);
	} else if (slice_find(host, ':') != SLICE_NONE) {
		return -EBADMSG;	/* IPv6 wants brackets */
	}
	for (size_t i = 0; i < port.len; i++)
		if (!ascii_is_alnum(port.data[i]) && port.data[i] != '-' &&
		    port.data[i] != '_')
			return -EBADMSG;
	if (port.len == 0 || slice_find(host, '[') != SLICE_NONE ||
	    slice_find(host, ']') != SLICE_NONE)
		return -EBADMSG;
	*ret_host = host;
	*ret_port = port;
	return 0;
}
