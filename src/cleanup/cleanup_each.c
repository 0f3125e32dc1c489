/* SPDX-License-Identifier: ISC */
/*
 * PRDR (draft-hall-prdr): the client hears what became of each recipient it
 * named. One that was refused is its affair then, and nobody else's. What it
 * named may stand for several recipients (aliases): such a one is refused only
 * if all of them are, for the client can be told no half.
 */
#include "cleanup/cleanup.h"

/* each_run - how many recipients from there on came of one that was named */
size_t
each_run(const struct msg_envelope *e, size_t from)
{
	size_t n = 1;

	while (from + n < e->rcpts.n && slice_equal_nocase(
	    e->rcpts.v[from].original, e->rcpts.v[from + n].original))
		n++;
	return n;
}

static bool
is_refused(const struct msg_rcpt_done *d)
{
	return d != NULL && d->code / 100 == 5;
}

/* all_refused - so that the client can be told */
static bool
all_refused(const struct message *m, const struct msg_queue_verdict *v,
    size_t from, size_t count)
{
	for (size_t i = from; i < from + count; i++)
		if (!is_refused(verdict_of(v, i,
		    m->envelope->rcpts.v[i].number)))
			return false;
	return true;
}

/* answer - for one recipient; code 0: it is not known yet */
static void
answer(struct message *m, const struct msg_rcpt *r,
    const struct msg_rcpt_done *d, bool told)
{
	struct msg_rcpt_answer	*a = &m->answers[m->answer_count++];

	*a = (struct msg_rcpt_answer){ .number = r->number };
	if (told)
		*a = (struct msg_rcpt_answer){ r->number, d->code,
		    arena_dup(&m->arena, d->enhanced),
		    arena_dup(&m->arena, d->text) };
	else if (d != NULL && d->code / 100 == 2)
		*a = (struct msg_rcpt_answer){ r->number, 250, S("2.1.5"),
		    arena_printf(&m->arena, "Ok: delivered as %s",
		    m->id.text) };
}

/* each_answer - for all; how many were told that they are refused */
size_t
each_answer(struct message *m, const struct msg_queue_verdict *v,
    const struct msg_rcpt_done **ret_refused)
{
	struct msg_envelope	*e = m->envelope;
	size_t			 all = e->rcpts.n, left = 0;

	m->answers = ARENA_ARRAY(&m->arena, struct msg_rcpt_answer, all);
	for (size_t i = 0, run; i < all; i += run) {
		bool told;

		run = each_run(e, i);
		told = all_refused(m, v, i, run);
		for (size_t k = i; k < i + run; k++) {
			const struct msg_rcpt_done *d = verdict_of(v, k,
			    e->rcpts.v[k].number);

			answer(m, &e->rcpts.v[k], d, told);
			if (told)
				*ret_refused = d;
		}
		if (told)
			continue;
		memmove(&e->rcpts.v[left], &e->rcpts.v[i],
		    run * sizeof(e->rcpts.v[0]));
		left += run;
	}
	e->rcpts.n = left;
	return all - left;
}

/* each_rest - those without an answer hear what became of the message */
void
each_rest(struct message *m, const struct status *s)
{
	struct buf	enhanced = BUF_INIT;

	status_code_format(&enhanced, s->enhanced);
	for (size_t i = 0; i < m->answer_count; i++) {
		if (m->answers[i].code != 0)
			continue;
		m->answers[i].code = s->code;
		m->answers[i].enhanced = arena_dup(&m->arena,
		    buf_slice(&enhanced));
		m->answers[i].text = arena_dup(&m->arena, status_text(s));
	}
	buf_free(&enhanced);
}
