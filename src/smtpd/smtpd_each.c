/* SPDX-License-Identifier: ISC */
/*
 * PRDR (draft-hall-prdr): behind the content 353, then a reply for each RCPT
 * that was accepted, in their order, then one that ends the transaction.
 */
#include "smtpd/smtpd.h"

/* smtpd_targets_of - a recipient that was named twice has targets only the first time:
 * the answer is the same */
const struct smtpd_named *
smtpd_targets_of(const struct smtpd_txn *x, size_t i)
{
	for (size_t k = 0; x->named[i].count == 0 && k < i; k++)
		if (slice_equal_nocase(x->named[k].text, x->named[i].text))
			return &x->named[k];
	return &x->named[i];
}

/* of_named - the answer for an accepted RCPT: a success of any of its targets,
 * else a refusal; NULL: cleanup said nothing of them */
static const struct msg_rcpt_answer *
of_named(const struct smtpd_named *n, const struct content_answers *answers)
{
	const struct msg_rcpt_answer *worst = NULL;

	for (size_t i = n->first; i < n->first + n->count &&
	    i < answers->n; i++) {
		if (answers->v[i].code / 100 == 2)
			return &answers->v[i];
		worst = &answers->v[i];
	}
	return worst;
}

/* answer - the reply for one RCPT; was it taken? */
static int
answer(struct task *t, struct smtpd_client *c, const char *stage,
    const struct smtpd_named *n, const struct msg_rcpt_answer *a,
    bool *ret_taken)
{
	struct status_code	code = { 0, 0, 0 };
	struct status		s;

	ignore(status_code_parse(a->enhanced, &code));	/* or none */
	if (a->code / 100 != 2) {
		s = status_of(a->code, code, a->text);
		return smtpd_refuse(t, c, stage, n->text, &s);
	}
	*ret_taken = true;
	return smtpd_reply(t, c, 250, "%.*s <%.*s> %.*s",
	    SLICE_ARG(a->enhanced), SLICE_ARG(n->text), SLICE_ARG(a->text));
}

/* smtpd_answer_each - each accepted RCPT's answer, and the last one */
int
smtpd_answer_each(struct task *t, struct smtpd_client *c, const char *stage,
    const struct content_answers *answers, const struct status *s)
{
	struct smtpd_txn	*x = &c->txn;
	bool			 taken = false;
	int			 r;

	r = smtpd_reply(t, c, 353, "Each recipient's result follows");
	for (size_t i = 0; r == 0 && i < x->accepted; i++) {
		const struct msg_rcpt_answer *a =
		    of_named(smtpd_targets_of(x, i), answers);

		if (a == NULL)
			return -EPROTO;
		r = answer(t, c, stage, &x->named[i], a, &taken);
	}
	if (r < 0)
		return r;
	/* one that was taken is taken, whatever became of the others */
	if (taken)
		return smtpd_reply(t, c, 250, "2.0.0 Ok: %s", x->id.text);
	return smtpd_refuse(t, c, stage, SLICE_EMPTY, s);
}
