/* SPDX-License-Identifier: ISC */
/* What a message is delivered with, of what clients may send again: whenever we
 * hear of it, what counts is when it was noticed. */
#include "test.h"

#include "libglobal/ipc_envelope.h"
#include "qmgr/qmgr.h"

#define ID	S("0123456789abcdef")
#define SEC	INT64_C(1000000)

struct known {
	int64_t	taken, noticed;		/* s; 0, 0: none */
};

/* text - "since-until " for each, and "again N", in seconds */
static void
text(const struct qmgr *q, const struct msg_envelope *e, struct buf *out)
{
	struct msg_doubt	v[QDOUBT_MAX];
	size_t			n = qdoubt_of(q, e, v);
	int64_t			again = qdoubt_again(q, e);

	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%lld-%lld ", (long long)(v[i].since / SEC),
		    (long long)(v[i].until / SEC));
	if (again > 0)
		buf_addf(out, "again %lld%s", (long long)(again / SEC),
		    again % SEC > 0 ? "+" : "");
}

TEST(doubts_of_a_message)
{
	static const struct {
		struct known	known[3];
		struct known	span;
		int64_t		taken;
		int64_t		named;	/* by cleanup; 0: nothing */
		const char	*want;
	} rows[] = {
		{ { { 0, 0 } }, { 0, 0 }, 1000, 0, "" },
		/* somebody died before it came, or later; it was taken then */
		{ { { 0, 0 } }, { 100, 999 }, 1000, 0, "100-999 " },
		{ { { 0, 0 } }, { 100, 999 }, 1000, 500, "500-500 100-999 " },
		{ { { 0, 0 } }, { 100, 1000 }, 1000, 0, "again 1000+" },
		{ { { 0, 0 } }, { 1001, 1100 }, 1000, 0, "" },
		{ { { 900, 901 } }, { 100, 1200 }, 1000, 0,
		    "900-900 again 1200+" },
		{ { { 900, 901 } }, { 100, 950 }, 1000, 0,
		    "900-900 100-950 " },
		{ { { 0, 0 } }, { 0, 0 }, 1000, 900, "900-900 " },
		/* it may have been sent in the place of that one, or not */
		{ { { 900, 990 } }, { 0, 0 }, 1000, 0, "900-900 " },
		{ { { 900, 990 } }, { 0, 0 }, 1000, 900, "900-900 " },
		{ { { 900, 1030 } }, { 0, 0 }, 1000, 0, "900-900 " },
		{ { { 900, 1031 } }, { 0, 0 }, 1000, 0, "" },
		{ { { 900, 1031 } }, { 0, 0 }, 1000, 900, "900-900 " },
		{ { { 999, 1000 } }, { 0, 0 }, 1000, 0, "999-999 " },
		{ { { 1001, 1002 } }, { 0, 0 }, 1000, 0, "" },
		{ { { 500, 501 }, { 700, 701 } }, { 0, 0 }, 1000, 700,
		    "700-700 500-500 " },
		/* it is in doubt itself */
		{ { { 1000, 1001 } }, { 0, 0 }, 1000, 0, "again 1000+" },
		{ { { 1000, 1300 } }, { 0, 0 }, 1000, 0, "again 1270" },
		{ { { 900, 901 }, { 1000, 1010 } }, { 0, 0 }, 1000, 0,
		    "900-900 again 1000+" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct msg_doubt	named = { rows[i].named * SEC,
					    rows[i].named * SEC };
		struct msg_envelope	e = { .content_id = ID,
					    .taken = rows[i].taken * SEC };
		struct qmgr		q = { .daemon = NULL };
		struct buf		b = BUF_INIT;

		doubts_init(&q.doubts);
		for (size_t k = 0; k < COUNT(rows[i].known) &&
		    rows[i].known[k].taken > 0; k++)
			doubts_unheard(&q.doubts, ID, (struct doubts_copy){
			    rows[i].known[k].taken * SEC,
			    rows[i].known[k].noticed * SEC });
		if (rows[i].span.taken > 0)
			doubts_add_span(&q.doubts, (struct doubts_span){
			    rows[i].span.taken * SEC,
			    rows[i].span.noticed * SEC });
		e.doubts.v = &named;
		e.doubts.n = rows[i].named > 0;
		text(&q, &e, &b);
		CHECK_TEXT(buf_slice(&b), rows[i].want, i);
		buf_free(&b);
		doubts_free(&q.doubts);
	}
}
