/* SPDX-License-Identifier: ISC */
/*
 * One read transaction over all records: first each for itself (checksum,
 * shape), then mailboxes with their messages, emails, and bodies. Every
 * relation is looked at from both ends, by lookups, so that memory grows only
 * with eight bytes an email.
 */
#include "libstore/verify_impl.h"

#include <stdarg.h>

#include "libstore/bodies.h"
#include "libstore/body.h"
#include "libutil/alloc.h"

/* verify_find - count and tell */
void
verify_find(struct verify *v, const char *format, ...)
{
	struct buf text = BUF_INIT;
	va_list	ap;

	v->result.findings++;
	if (v->report == NULL)
		return;
	va_start(ap, format);
	buf_vaddf(&text, format, ap);
	va_end(ap);
	v->report(v->arg, buf_cstr(&text));
	buf_free(&text);
}

/* verify_email - an email's record */
int
verify_email(struct verify *v, uint64_t id, struct email_record *ret_record)
{
	struct slice value;
	struct key k;
	int	r;

	key_u64(&k, KEY_EMAIL, id);
	if ((r = txn_get(v->t, &k, &value)) < 0)
		return r;
	return email_record_decode(value, ret_record);
}

/* verify_each - walk a prefix */
int
verify_each(struct verify *v, const struct key *prefix, verify_one *one)
{
	struct backend_range *range;
	struct slice key, value;
	int	r;

	if ((r = txn_range(v->t, prefix, NULL, &range)) < 0)
		return r;
	while ((r = backend_next(range, &key, &value)) != 0) {
		if (r == -EBADMSG)
			continue;
		if (r < 0 || (r = one(v, key, value)) < 0)
			break;
	}
	backend_range_end(&range);
	return r;
}

/* count_one - for verify_count */
static int
count_one(struct verify *v, struct slice key, struct slice value)
{
	(void)key;
	(void)value;
	v->count++;
	return 0;
}

/* verify_count - records of a prefix */
int
verify_count(struct verify *v, const struct key *prefix, size_t *ret_count)
{
	int	r;

	v->count = 0;
	r = verify_each(v, prefix, count_one);
	*ret_count = v->count;
	return r;
}

/* decode_any - is the value what its key space promises? */
static int
decode_any(struct slice key, struct slice value)
{
	union {
		struct account_record	account;
		struct mailbox_record	mailbox;
		struct email_record	email;
		struct body_record	body;
		struct pack_record	pack;
		struct delivery_record	delivery;
		struct reference_record	reference;
		struct change_record	change;
		uint32_t		u32;
		uint64_t		u64;
	} x;

	switch ((enum keyspace)key.data[0]) {
	case KEY_FRESH:
		return key.len == 10 && key.data[9] == FRESH_BODY ?
		    body_record_decode(value, &x.body) : 0;
	case KEY_ACCOUNT:
		return account_record_decode(value, &x.account);
	case KEY_MAILBOX:
		return mailbox_record_decode(value, &x.mailbox);
	case KEY_EMAIL:
		return email_record_decode(value, &x.email);
	case KEY_BODY:
		return body_record_decode(value, &x.body);
	case KEY_PACK:
		return pack_record_decode(value, &x.pack);
	case KEY_DELIVERY:
		return delivery_record_decode(value, &x.delivery);
	case KEY_REFERENCE:
		return reference_record_decode(value, &x.reference);
	case KEY_CHANGE:
		return change_record_decode(value, &x.change);
	case KEY_NAME:
	case KEY_VANISHED:
	case KEY_BIG:
		return record_decode_u32(value, &x.u32);
	case KEY_ORDER:
	case KEY_DAY:
		return record_decode_u64(value, &x.u64);
	default:
		return 0;	/* looked at with what it belongs to */
	}
}

/* verify_shape - every record for itself */
static int
verify_shape(struct verify *v)
{
	struct backend_range *range;
	struct slice key, value;
	struct buf name = BUF_INIT;
	int	r;

	r = backend_range(v->t->backend, SLICE_EMPTY, SLICE_EMPTY, false,
	    &range);
	if (r < 0)
		return r;
	while ((r = backend_next(range, &key, &value)) != 0) {
		const char *what = NULL;

		if (r < 0 && r != -EBADMSG)
			break;
		if (r == -EBADMSG)
			what = "fails its checksum";
		else if (keyspace_name(key.data[0]) == NULL)
			what = "is of no known kind";
		else if (decode_any(key, value) < 0)
			what = "is malformed";
		if (what == NULL)
			continue;
		buf_reset(&name);
		key_describe(&name, key);
		verify_find(v, "record %s %s", buf_cstr(&name), what);
	}
	backend_range_end(&range);
	buf_free(&name);
	return r;
}

/* email_place_check - does the mailbox know of this place? */
static void
email_place_check(struct verify *v, uint64_t id, const struct email_place *p)
{
	const struct message_meta *m;
	int	r = index_get(v->t, p->mailbox, p->uid, &m);

	if (r < 0)
		verify_find(v, "email %llu has a place in mailbox %u as UID "
		    "%u, where there is no message", (unsigned long long)id,
		    p->mailbox, p->uid);
	else if (m->email != id)
		verify_find(v, "email %llu has a place in mailbox %u as UID "
		    "%u, which is email %llu", (unsigned long long)id,
		    p->mailbox, p->uid, (unsigned long long)m->email);
}

/* email_check - one email from its own end */
static int
email_check(struct verify *v, struct slice key, struct slice value)
{
	struct email_record rec;
	struct slice found;
	struct key k;
	uint64_t id;

	if (key_parse_u64(key, KEY_EMAIL, &id) < 0 ||
	    email_record_decode(value, &rec) < 0)
		return 0;
	v->result.emails++;
	v->used_bytes += rec.size;
	if (id >= v->rec.next_email)
		verify_find(v, "email %llu is above the next id",
		    (unsigned long long)id);
	if (rec.places.count == 0)
		verify_find(v, "email %llu is in no mailbox",
		    (unsigned long long)id);
	for (uint8_t i = 0; i < rec.places.count; i++)
		email_place_check(v, id, &rec.places.at[i]);
	key_u64_u64(&k, KEY_THREAD, rec.thread, id);
	if (rec.thread != id && txn_get(v->t, &k, &found) < 0)
		verify_find(v, "email %llu is missing in its thread %llu",
		    (unsigned long long)id, (unsigned long long)rec.thread);
	if (v->body_count == v->body_cap) {
		v->body_cap = v->body_cap == 0 ? 1024 : 2 * v->body_cap;
		v->body = xreallocarray(v->body, v->body_cap,
		    sizeof(v->body[0]));
	}
	v->body[v->body_count++] = rec.body;
	return 0;
}

/* thread_check - one entry of a thread from its end */
static int
thread_check(struct verify *v, struct slice key, struct slice value)
{
	struct email_record rec;
	uint64_t thread, id;

	(void)value;
	if (key_parse_u64_u64(key, KEY_THREAD, &thread, &id) < 0)
		verify_find(v, "a thread entry has a malformed key");
	else if (verify_email(v, id, &rec) < 0 || rec.thread != thread ||
	    id == thread)
		verify_find(v, "thread %llu lists email %llu, which is not in "
		    "it", (unsigned long long)thread, (unsigned long long)id);
	return 0;
}

/* cache_check - a cache entry from its end */
static int
cache_check(struct verify *v, struct slice key, struct slice value)
{
	struct email_record rec;
	uint64_t id;

	if (key_parse_u64(key, KEY_CACHE, &id) < 0 || value.len < 4)
		verify_find(v, "a cache entry is malformed");
	else if (verify_email(v, id, &rec) < 0)
		verify_find(v, "a cache entry names email %llu, which is not "
		    "there", (unsigned long long)id);
	return 0;
}

/* change_check - history lies in the past */
static int
change_check(struct verify *v, struct slice key, struct slice value)
{
	uint64_t modseq = 0;

	(void)value;
	for (size_t i = 2; i < 10 && i < key.len; i++)
		modseq = modseq << 8 | (unsigned char)key.data[i];
	if (modseq > v->rec.modseq)
		verify_find(v, "a change has mod-sequence %llu, above the "
		    "account's %llu", (unsigned long long)modseq,
		    (unsigned long long)v->rec.modseq);
	return 0;
}

/* verify_spaces - a check for each record of these key spaces */
static int
verify_spaces(struct verify *v)
{
	static const struct {
		enum keyspace	 space;
		verify_one	*one;
	} checks[] = {
		{ KEY_EMAIL, email_check },
		{ KEY_THREAD, thread_check },
		{ KEY_CACHE, cache_check },
		{ KEY_CHANGE, change_check },
	};
	struct key k;
	int	r = 0;

	for (size_t i = 0; r == 0 && i < COUNT(checks); i++) {
		key_1(&k, checks[i].space);
		r = verify_each(v, &k, checks[i].one);
	}
	return r;
}

/* verify_totals - what the account record sums up */
static void
verify_totals(struct verify *v)
{
	if (v->rec.used_bytes != v->used_bytes)
		verify_find(v, "the quota counts %llu bytes, the emails have "
		    "%llu", (unsigned long long)v->rec.used_bytes,
		    (unsigned long long)v->used_bytes);
	if (v->rec.used_count != v->result.emails)
		verify_find(v, "the quota counts %llu emails, there are %llu",
		    (unsigned long long)v->rec.used_count,
		    (unsigned long long)v->result.emails);
	if (v->rec.unpacked_bytes != v->unpacked)
		verify_find(v, "the account counts %llu unpacked bytes, there "
		    "are %llu", (unsigned long long)v->rec.unpacked_bytes,
		    (unsigned long long)v->unpacked);
}

/* verify_records - all inside the one transaction */
static int
verify_records(struct verify *v)
{
	struct slice value;
	struct key k;
	int	r;

	key_1(&k, KEY_ACCOUNT);
	if ((r = txn_get(v->t, &k, &value)) < 0 ||
	    (r = account_record_decode(value, &v->rec)) < 0 ||
	    (r = verify_shape(v)) < 0 || (r = verify_mailboxes(v)) < 0 ||
	    (r = verify_spaces(v)) < 0 || (r = verify_bodies(v)) < 0)
		return r;
	verify_totals(v);
	return 0;
}

/* verify_content - read one body whole and compare its hash */
static void
verify_content(struct verify *v, uint64_t id)
{
	uint8_t	hash[BODY_HASH_LEN];
	struct buf content = BUF_INIT_MAX((size_t)1 << 31);
	struct body *b = NULL;
	struct slice piece;
	uint64_t at;
	int	r;

	/* it may have been expunged since its record was read */
	if ((r = bodies_open(v->account, id, &b)) == -ENOENT)
		return;
	at = r == 0 ? body_prefix(b).len : 0;
	while (r == 0 && (r = body_peek(b, at, SIZE_MAX, &piece)) == 0 &&
	    piece.len > 0) {
		buf_add(&content, piece);
		at += piece.len;
	}
	if (r == 0)
		body_hash_content(buf_slice(&content), hash);
	if (r < 0)
		verify_find(v, "body %llu cannot be read: %s",
		    (unsigned long long)id, strerror(-r));
	else if (memcmp(hash, body_hash(b), sizeof(hash)) != 0)
		verify_find(v, "the content of body %llu has another hash",
		    (unsigned long long)id);
	v->result.body_bytes += content.len;
	buf_free(&content);
	body_close(&b);
}

/* store_verify - prove that the account is well */
int
store_verify(struct account *a, unsigned how, verify_report *report,
    void *arg, struct verify_result *ret_result)
{
	struct verify v = { .account = a, .report = report, .arg = arg };
	int	r;

	if ((r = txn_begin(a, false, &v.t)) == 0)
		r = verify_records(&v);
	txn_abort(&v.t);
	/* v.body is sorted now; each is read once */
	for (size_t i = 0; r == 0 && (how & VERIFY_BODIES) != 0 &&
	    i < v.body_count; i++)
		if (i == 0 || v.body[i] != v.body[i - 1])
			verify_content(&v, v.body[i]);
	free(v.body);
	if (r == 0)
		*ret_result = v.result;
	return r;
}
