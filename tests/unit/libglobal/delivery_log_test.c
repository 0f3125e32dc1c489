/* SPDX-License-Identifier: ISC */
#include "libglobal/delivery_log.h"

#include <stdlib.h>

#include "libglobal/ipc_delivery.h"
#include "libglobal/ipc_envelope.h"
#include "libutil/buf.h"
#include "libutil/log.h"
#include "libutil/log_format.h"
#include "test.h"

/* keep_line - a sink: the record as text */
static void
keep_line(void *arg, const struct log_record *record)
{
	struct buf *line = arg;

	buf_reset(line);
	log_format_classic(line, record);
}

static const struct {
	int64_t		 now, arrival, queued;		/* us */
	uint32_t	 connect_ms, transfer_ms;
	const char	*want;
} delay_rows[] = {
	{ 0, 0, 0, 0, 0, "delay=0, delays=0/0/0/0," },
	{ 4000, 0, 1000, 0, 1, "delay=0, delays=0/0/0/0," },
	{ 50000, 0, 5000, 10, 20, "delay=0.05, delays=0.01/0.02/0.01/0.02," },
	{ 999000, 0, 100000, 0, 400, "delay=1, delays=0.1/0.5/0/0.4," },
	{ 1260000, 0, 0, 1040, 200, "delay=1.3, delays=0/0.02/1/0.2," },
	{ 9960000, 0, 9940000, 0, 0, "delay=10, delays=9.9/0.02/0/0," },
	{ 3600400000, 0, 0, 10600, 0, "delay=3600, delays=0/3590/11/0," },
	/* the clock was set back, and what only a broken peer says */
	{ 0, 5000000, 1000000, 0, 0, "delay=0, delays=0/0/0/0," },
	{ INT64_MAX, INT64_MIN, 0, 0, UINT32_MAX, "delay=18446744073710," },
};

TEST(delivery_log_delays)
{
	struct buf	line = BUF_INIT;
	struct log	log;
	const struct msg_rcpt	rcpt = { .address = S_INIT("a@b.example"),
	    .original = S_INIT("a@b.example") };
	const struct msg_rcpt_result result = { .code = 250,
	    .relay = S_INIT("relay"), .text = S_INIT("ok") };

	log_start(&(struct log_setup){ .program = "x", .sink = keep_line,
	    .sink_arg = &line });
	log_init(&log, NULL);
	for (size_t i = 0; i < COUNT(delay_rows); i++) {
		const struct delivery_times times = { delay_rows[i].now,
		    delay_rows[i].arrival, delay_rows[i].queued,
		    delay_rows[i].connect_ms, delay_rows[i].transfer_ms };

		delivery_log_one(&log, S("1"), &rcpt, &result, &times, NULL);
		CHECK(slice_find_slice(buf_slice(&line),
		    slice_of(delay_rows[i].want)) != SLICE_NONE, i);
	}
	buf_free(&line);
}
