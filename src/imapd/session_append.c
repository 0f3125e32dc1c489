/* SPDX-License-Identifier: ISC */
/*
 * APPEND (RFC 3501 6.3.11): what can be refused is refused before the message
 * comes. It is received into memory, a large one into a memory file, with
 * line ends made CRLF (clients do send bare LF) and scanned on the way; then
 * one work item digests and stores it.
 */
#include "imapd/session_private.h"

#include "libmail/scan.h"
#include "libstore/digest.h"
#include "libtask/memfile.h"

#define APPEND_PIECE	((size_t)32768)

/* a message that comes in */
struct incoming {
	struct buf	memory;
	struct memfile	file;
	bool		in_file;
	bool		has_nul;
	bool		after_cr;
	bool		is_big;		/* kept elsewhere, under */
	uint8_t		hash[BODY_HASH_LEN];
	struct scan	*scan;
	struct slice	mapped;
};

struct append_job {
	struct account		*account;
	struct incoming		*in;
	struct deliver_message	message;
	struct deliver_place	place;
	struct arena		arena;
	bool			(*has)(const uint8_t *hash);
	bool			is_gone;	/* the content, meanwhile */
};

/* add - bytes of the message, as they are kept */
static int
add(struct incoming *in, struct slice bytes)
{
	scan_feed(in->scan, bytes);
	if (in->in_file)
		return memfile_append(&in->file, bytes);
	buf_add(&in->memory, bytes);
	return buf_check(&in->memory);
}

/* add_piece - bytes as the client sent them: a bare LF becomes CRLF */
static int
add_piece(struct incoming *in, struct slice piece)
{
	size_t	from = 0, lf;
	int	r = 0;

	in->has_nul |= slice_find(piece, '\0') != SLICE_NONE;
	for (size_t at = 0; r == 0; at = lf + 1) {
		lf = slice_find(slice_from(piece, at), '\n');
		if (lf == SLICE_NONE)
			break;
		lf += at;
		if (lf == 0 ? in->after_cr : piece.data[lf - 1] == '\r')
			continue;
		if ((r = add(in, slice_sub(piece, from, lf - from))) == 0)
			r = add(in, S("\r"));
		from = lf;
	}
	if (r == 0)
		r = add(in, slice_from(piece, from));
	in->after_cr = piece.data[piece.len - 1] == '\r';
	return r;
}

/* receive - the whole literal. A failure to keep it (-ENOSPC and the like) is
 * in *ret_kept: the rest is read all the same, so that the client hears it */
static int
receive(struct task *t, struct imap_session *s, struct incoming *in,
    int *ret_kept)
{
	uint64_t	left = s->append.literal.size;
	struct deadline	d;
	struct slice	piece;
	int		r;

	while (left > 0) {
		deadline_begin(t, &d, s->params->imapd_command_timeout);
		r = stream_peek(t, s->stream, &piece);
		if ((r = deadline_end(t, &d, r)) < 0)
			return r;
		piece = slice_sub(piece, 0, left < APPEND_PIECE ?
		    (size_t)left : APPEND_PIECE);
		if (*ret_kept == 0)
			*ret_kept = add_piece(in, piece);
		left -= piece.len;
		stream_consume(s->stream, piece.len);
	}
	return 0;
}

/* check_target - can the message be taken? The reason why not is the store's
 * errno; ret_mailbox is set if it can */
static int
check_target(struct imap_session *s, uint32_t *ret_mailbox)
{
	uint64_t	size = s->append.literal.size;
	uint64_t	limit = s->params->imapd_message_size_limit;
	struct account_quota quota;
	struct mailbox_info info;
	int		r;

	if (size == 0)		/* RFC 3502 3 takes it for second thoughts */
		return -ENODATA;
	if (limit != 0 && size > limit)
		return -EMSGSIZE;
	r = mailbox_find(s->account, s->append.mailbox.name, &s->arena,
	    &info);
	if (r < 0)
		return r;
	if (info.is_noselect)
		return -ENOENT;
	account_get_quota(s->account, &quota);
	if (quota.limit_bytes != 0 &&
	    (quota.used_bytes >= quota.limit_bytes ||
	    size > quota.limit_bytes - quota.used_bytes))
		return -EDQUOT;
	*ret_mailbox = info.id;
	return 0;
}

/* refuse - say NO before the message came; without a wait for our "+" it
 * comes nevertheless */
static int
refuse(struct task *t, struct imap_session *s, int why)
{
	int	r;

	if (!s->append.literal.sync) {
		if ((r = session_drain_literal(t, s,
		    &s->append.literal)) < 0 ||
		    (r = session_drain_command(t, s)) < 0)
			return r == -EPROTO ? 0 : r;
	}
	return session_failed(s, why, "TRYCREATE");
}

/* name_content - a content that is kept elsewhere is named, not written */
static void
name_content(struct append_job *j)
{
	struct deliver_message *m = &j->message;

	m->is_big = true;
	memcpy(m->big_hash, j->in->hash, sizeof(m->big_hash));
	m->big_size = m->content.len;
	m->content = SLICE_EMPTY;
}

/* append_job - a work item: digest the message and store it */
static int
append_job(void *arg)
{
	struct append_job *j = arg;
	struct incoming	*in = j->in;
	struct slice	content = buf_slice(&in->memory);
	int		r;

	if (in->in_file) {
		if ((r = memfile_map(in->file.fd, &in->mapped)) < 0)
			return r;
		content = in->mapped;
	}
	j->message.content = content;
	digest_make(content, scan_finish(in->scan), &j->arena,
	    &j->message.facts);
	if (in->is_big)
		name_content(j);
	r = message_deliver(j->account, &j->message, 1, DELIVER_EACH);
	if (r == 0)
		r = j->message.result;
	/* an expunge may have removed the same content before the commit */
	j->is_gone = r == 0 && in->is_big && !j->has(in->hash);
	return r;
}

/* keep_big - have a large content kept where accounts share it. Whoever does
 * that takes a file that nobody can change. */
static int
keep_big(struct task *t, struct imap_session *s, struct incoming *in)
{
	const struct imap_big *big = &s->setup.big;
	int	r;

	if (!in->in_file)
		return 0;
	if ((r = memfile_seal(&in->file)) < 0 || big->keep == NULL ||
	    in->file.size < BODY_BIG)
		return r;
	r = big->keep(t, big->arg, in->file.fd, in->file.size, in->hash);
	in->is_big = r == 1;
	return r < 0 ? r : 0;
}

/* bring_back - a content whose name went before the commit */
static int
bring_back(struct task *t, struct imap_session *s, struct incoming *in)
{
	int	r = keep_big(t, s, in);

	return r == 0 && !in->is_big ? -EIO : r;
}

/* deliver - put the message into the mailbox */
static int
deliver(struct task *t, struct imap_session *s, struct incoming *in,
    uint32_t mailbox)
{
	const struct imap_append *a = &s->append;
	struct append_job j = { .account = s->account, .in = in,
		.arena = ARENA_INIT, .has = s->setup.big.has };
	int	r;

	j.place = (struct deliver_place){ .mailbox = mailbox,
		.flags = session_store_flags(a->flags.system),
		.keywords = a->flags.keywords,
		.keyword_count = a->flags.keyword_count };
	j.message.places = &j.place;
	j.message.place_count = 1;
	j.message.has_date = a->has_date;
	j.message.internal_date = a->date.seconds;
	if ((r = keep_big(t, s, in)) == 0)
		r = session_commit(t, s, append_job, &j);
	if (r == 0 && j.is_gone)
		r = bring_back(t, s, in);
	if (r < 0)
		r = session_failed(s, r, "TRYCREATE");
	else
		buf_addf(&s->code, "APPENDUID %u %u", j.place.uidvalidity,
		    j.place.uid);
	arena_free(&j.arena);
	return r;
}

/* begin - where the message goes while it comes */
static int
begin(struct imap_session *s, struct incoming *in)
{
	uint64_t	size = s->append.literal.size;

	in->scan = scan_new(NULL);
	/* LF alone doubles at most */
	if (size <= s->params->imapd_append_memory_limit && size < BODY_BIG) {
		in->memory.max = 2 * (size_t)size + 1;
		return 0;
	}
	in->in_file = true;
	return memfile_new("append", 2 * size, &in->file);
}

/* take_end - what follows the message: nothing, or BAD is said */
static int
take_end(struct task *t, struct imap_session *s)
{
	struct imap_literal literal;
	struct deadline	d;
	struct slice	line;
	int		r;

	deadline_begin(t, &d, s->params->imapd_command_timeout);
	r = stream_read_line(t, s->stream, s->params->imapd_line_length_limit,
	    &line);
	r = deadline_end(t, &d, r);
	if (r < 0 && r != -EMSGSIZE)
		return r;
	if (r == 0 && line.len == 0)
		return 0;
	session_say(s, "BAD", NULL,
	    "APPEND takes one message, and nothing behind it");
	if (r == -EMSGSIZE || imap_literal_at_end(line, &literal) != 1 ||
	    literal.sync)
		return 0;
	if ((r = session_drain_literal(t, s, &literal)) == 0)
		r = session_drain_command(t, s);
	return r == -EPROTO ? 0 : r;
}

/* take_message - receive the message and store it */
static int
take_message(struct task *t, struct imap_session *s, uint32_t mailbox)
{
	struct incoming	in = { .memory = BUF_INIT, .file = MEMFILE_INIT };
	int		r, kept;

	kept = begin(s, &in);
	if (s->append.literal.sync) {
		buf_add_text(&s->out, "+ OK\r\n");
		if ((r = session_put_all(t, s)) < 0)
			goto out;
	}
	if ((r = receive(t, s, &in, &kept)) < 0 || (r = take_end(t, s)) < 0 ||
	    s->status[0] != 'O' || s->quit)
		goto out;
	if (kept < 0)
		r = session_failed(s, kept, NULL);
	else if (in.has_nul)
		session_say(s, "NO", "CANNOT", "The message has a NUL byte");
	else
		r = deliver(t, s, &in, mailbox);
out:
	memfile_unmap(&in.mapped);
	memfile_done(&in.file);
	buf_free(&in.memory);
	scan_free(&in.scan);
	return r;
}

/* session_append - APPEND */
int
session_append(struct task *t, struct imap_session *s)
{
	uint32_t	mailbox;
	int		r = check_target(s, &mailbox);

	return r < 0 ? refuse(t, s, r) : take_message(t, s, mailbox);
}
