/* SPDX-License-Identifier: ISC */
/*
 * Records and keys of the queue's state. The first byte chooses which; what
 * decodes encodes to the same bytes, and what a key names makes that key.
 */
#include "test.h"

#include "libglobal/doubts.h"
#include "libglobal/qstate_record.h"

static struct queue_id
some_id(void)
{
	struct queue_id_source source = QUEUE_ID_SOURCE(1);

	return queue_id_make(&source, 1700000000, 1);
}

static void
try_key(struct slice key)
{
	struct qstate_key_parts p;
	struct qstate_key k;

	if (qstate_key_parse(key, &p) < 0)
		return;
	switch (p.kind) {
	case QSTATE_KEY_META:
		qstate_key_meta(&k);
		break;
	case QSTATE_KEY_DOUBTS:
		qstate_key_doubts(&k);
		break;
	case QSTATE_KEY_MESSAGE:
		qstate_key_message(&k, &p.id);
		break;
	case QSTATE_KEY_RCPT:
		qstate_key_rcpt(&k, &p.id, p.index);
		break;
	case QSTATE_KEY_SLOT:
		qstate_key_slot(&k, p.slot);
		break;
	case QSTATE_KEY_GONE:
		qstate_key_gone(&k, &p.id);
		break;
	case QSTATE_KEY_BY_TIME:
		qstate_key_time(&k, p.time, &p.id);
		break;
	case QSTATE_KEY_BY_SITE:
		qstate_key_site(&k, p.text, &p.id, p.index);
		break;
	case QSTATE_KEY_BY_SENDER:
	case QSTATE_KEY_BY_LOGIN:
		qstate_key_text(&k, p.kind, p.text, &p.id);
		break;
	}
	FUZZ_CHECK(k.len <= QSTATE_KEY_MAX);
	/* letters of a text become lower case, long ones are cut */
	if (p.text.len <= QSTATE_INDEX_TEXT_MAX)
		FUZZ_CHECK(slice_equal_nocase(qstate_key_slice(&k), key));
}

static void
try_record(int which, struct slice in, struct buf *out)
{
	struct queue_id id = some_id();
	struct qstate_message m;
	struct qstate_rcpt r;
	struct qstate_slot s;

	switch (which) {
	case 0:
		if (qstate_message_decode(in, &id, &m) < 0)
			return;
		qstate_message_encode(out, &m);
		break;
	case 1:
		if (qstate_rcpt_decode(in, 7, &r) < 0)
			return;
		qstate_rcpt_encode(out, &r);
		break;
	default:
		if (qstate_slot_decode(in, (struct slot_ref){ 1, 2 }, &s) < 0)
			return;
		qstate_slot_encode(out, &s);
		break;
	}
	FUZZ_CHECK(slice_equal(buf_slice(out), in));
}

/* spans and messages may be joined, but only once */
static void
try_doubts(struct slice in, struct buf *out)
{
	struct doubts	once, again;
	struct buf	second = BUF_INIT;

	doubts_init(&once);
	doubts_init(&again);
	if (doubts_decode(&once, in) == 0) {
		doubts_encode(&once, out);
		FUZZ_CHECK(doubts_decode(&again, buf_slice(out)) == 0);
		doubts_encode(&again, &second);
		FUZZ_CHECK(slice_equal(buf_slice(out), buf_slice(&second)));
	}
	doubts_free(&once);
	doubts_free(&again);
	buf_free(&second);
}

static void
try_seal(struct slice in, struct buf *out)
{
	struct slice key = slice_sub(in, 0, 9), value;

	(void)qstate_unseal(key, in, &value);
	buf_reset(out);
	buf_add(out, in);
	qstate_seal(out, key);
	FUZZ_CHECK(qstate_unseal(key, buf_slice(out), &value) == 0);
	FUZZ_CHECK(slice_equal(value, in));
}

FUZZ(qstate)
{
	struct slice rest = slice_from(input, 1);

	if (input.len == 0)
		return;
	if (input.data[0] == 3)
		try_key(rest);
	else if (input.data[0] == 4)
		try_doubts(rest, scratch);
	else
		try_record(input.data[0], rest, scratch);
	try_seal(rest, scratch);
}
