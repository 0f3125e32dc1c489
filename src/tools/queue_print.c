/* SPDX-License-Identifier: ISC */
/* The queue in the forms of mailq and of postqueue -j; a message as it is. */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "libglobal/ipc_envelope.h"
#include "libutil/buf.h"
#include "libutil/json_write.h"
#include "tools/queue.h"

static void
print_json(const struct msg_queue_entry *e)
{
	struct buf		b = BUF_INIT;
	struct json_writer	w = json_writer_into(&b);

	json_object_begin(&w);
	json_key(&w, S("queue_name"));
	json_string(&w, e->queue_name);
	json_key(&w, S("queue_id"));
	json_string(&w, e->queue_id);
	json_key(&w, S("arrival_time"));
	json_int(&w, e->arrival);
	json_key(&w, S("message_size"));
	json_uint(&w, e->size);
	json_key(&w, S("forced_expire"));
	json_bool(&w, e->forced_expire);
	json_key(&w, S("sender"));
	json_string(&w, e->sender.len > 0 ? e->sender : S("MAILER-DAEMON"));
	json_key(&w, S("recipients"));
	json_array_begin(&w);
	for (size_t i = 0; i < e->rcpts.n; i++) {
		json_object_begin(&w);
		json_key(&w, S("address"));
		json_string(&w, e->rcpts.v[i].address);
		if (e->rcpts.v[i].reason.len > 0) {
			json_key(&w, S("delay_reason"));
			json_string(&w, e->rcpts.v[i].reason);
		}
		json_object_end(&w);
	}
	json_array_end(&w);
	json_key(&w, S("next_attempt"));
	json_int(&w, e->next);
	json_object_end(&w);
	json_writer_end(&w);
	printf("%.*s\n", SLICE_ARG(buf_slice(&b)));
	buf_free(&b);
}

/* mark - behind the id: active, on hold, or nothing */
static char
mark(const struct msg_queue_entry *e)
{
	if (slice_equal(e->queue_name, S("active")))
		return '*';
	if (slice_equal(e->queue_name, S("hold")))
		return '!';
	return e->forced_expire ? '#' : ' ';
}

/* print_mailq - a group of lines; a reason stands once above those it is of */
static void
print_mailq(const struct msg_queue_entry *e, bool first)
{
	struct slice	reason = SLICE_EMPTY;
	time_t		arrival = (time_t)e->arrival;
	char		when[32] = "";
	struct tm	tm;

	if (localtime_r(&arrival, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%a %b %e %H:%M:%S", &tm);
	if (first)
		printf("----Queue ID----- --Size-- ----Arrival Time---- "
		    "-Sender/Recipient------\n");
	else
		putchar('\n');
	printf("%.*s%c %*llu %20s  %.*s\n", SLICE_ARG(e->queue_id), mark(e),
	    (int)size_max(25 - size_min(e->queue_id.len, 16), 9),
	    (unsigned long long)e->size, when, SLICE_ARG(e->sender.len > 0 ?
	    e->sender : S("MAILER-DAEMON")));
	for (size_t i = 0; i < e->rcpts.n; i++) {
		const struct msg_queue_rcpt *r = &e->rcpts.v[i];

		if (r->reason.len > 0 && !slice_equal(r->reason, reason))
			printf("%*s(%.*s)\n", (int)(76 -
			    size_min(74, r->reason.len)), "",
			    SLICE_ARG(r->reason));
		reason = r->reason;
		printf("%49s%.*s\n", "", SLICE_ARG(r->address));
	}
}

/* queue_print - one message */
void
queue_print(void *printer, const struct msg_queue_entry *e)
{
	struct queue_printer *p = printer;

	if (p->form == QUEUE_JSON)
		print_json(e);
	else
		print_mailq(e, p->count == 0);
	p->count++;
	p->bytes += e->size;
}

/* queue_print_end - what stands below a list */
void
queue_print_end(const struct queue_printer *p)
{
	if (p->form == QUEUE_JSON)
		return;
	if (p->count == 0)
		printf("Mail queue is empty\n");
	else
		printf("\n-- %llu Kbytes in %llu Request%s.\n",
		    (unsigned long long)(p->bytes + 1023) / 1024,
		    (unsigned long long)p->count, p->count == 1 ? "" : "s");
}

/* copy - a range of the content */
static int
copy(int fd, uint64_t offset, uint64_t len)
{
	char	block[1024];
	ssize_t	n;

	while (len > 0) {
		n = pread(fd, block, size_min(sizeof(block), len),
		    (off_t)offset);
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		if (fwrite(block, 1, (size_t)n, stdout) != (size_t)n)
			return -EIO;
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

/* queue_print_message - piece by piece */
int
queue_print_message(struct tool *tool, struct slice envelope, int fd,
    uint64_t base)
{
	struct msg_envelope	*e;
	void			*unpacked;
	int			 r;

	r = ipc_unpack(&msg_envelope_desc, envelope, &tool->arena, &unpacked);
	if (r < 0)
		return tool_fail(tool, "the envelope is damaged");
	e = unpacked;
	for (size_t i = 0; i < e->pieces.n && r == 0; i++) {
		const struct msg_piece *p = &e->pieces.v[i];

		if (p->of_content)
			r = copy(fd, base + p->offset, p->length);
		else if (fwrite(p->text.data, 1, p->text.len, stdout) !=
		    p->text.len)
			r = -EIO;
	}
	return r == 0 ? TOOL_OK : tool_fail(tool, "cannot copy the message: %s",
	    strerror(-r));
}
