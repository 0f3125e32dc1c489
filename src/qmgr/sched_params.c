/* SPDX-License-Identifier: ISC */
#include "qmgr/sched_params.h"

#include "libutil/cursor.h"

#define NUMBER_MAX	1000000

/* number_parse - digits, perhaps with a fraction: "1", "0.25" */
static int
number_parse(struct cursor *c, double *ret_number)
{
	uint32_t	whole;
	double		number, unit = 1;
	int		r;

	if ((r = cursor_u32(c, NUMBER_MAX, &whole)) < 0)
		return r;
	number = whole;
	if (cursor_skip_byte(c, '.')) {
		if (!ascii_is_digit((char)cursor_peek(c)))
			return -EBADMSG;
		while (ascii_is_digit((char)cursor_peek(c)))
			number += (unit /= 10) * (cursor_byte(c) - '0');
	}
	*ret_number = number;
	return 0;
}

/* sched_feedback_parse - Postfix's notation for feedback */
int
sched_feedback_parse(struct slice text, struct sched_feedback *ret_feedback)
{
	struct sched_feedback f = { SCHED_FEEDBACK_CONST, 0 };
	struct cursor	      c = cursor_over(slice_trim(text));
	double		      divisor;

	if (number_parse(&c, &f.number) < 0)
		return -EBADMSG;
	(void)cursor_skip_blanks(&c);
	if (cursor_skip_byte(&c, '/')) {
		(void)cursor_skip_blanks(&c);
		if (cursor_skip_nocase(&c, S("concurrency"))) {
			f.kind = SCHED_FEEDBACK_INVERSE;
		} else if (cursor_skip_nocase(&c, S("sqrt_concurrency"))) {
			f.kind = SCHED_FEEDBACK_SQRT;
		} else {
			if (number_parse(&c, &divisor) < 0 || divisor <= 0)
				return -EBADMSG;
			f.number /= divisor;
		}
	}
	if (!cursor_at_end(&c) || f.number > 1)
		return -EBADMSG;
	*ret_feedback = f;
	return 0;
}
