/* SPDX-License-Identifier: ISC */
/*
 * Room: no more sessions are awake than accountd_session_limit. Who comes when
 * there are as many waits in line, while those that wait for their clients are
 * put to sleep one by one, the one that has been quiet longest first. One task
 * does that, and only as long as somebody is in line: a session that was woken
 * stays until its place is needed.
 */
#include "accountd/sessions_impl.h"

#include "libtask/loop.h"

#define IN_LINE_MAX	64	/* a descriptor each, of the few we may have */
#define ROOM_LIMIT	20000	/* ms in line: a front gives a session up that
				 * has not begun after 30 s */
#define LOOK_PAUSE	20	/* ms: nobody tells that a session got quiet */
#define ASK_PATIENCE	1000	/* ms for a front, before another is asked */

/* has_room - for one more? */
static bool
has_room(const struct account_process *ap)
{
	return ap->session_count < (size_t)ap->p->accountd_session_limit;
}

/* let_in - it is counted from now on, and the last to be sent to sleep */
static void
let_in(struct session *s)
{
	s->is_in = true;
	s->ap->session_count++;
	session_active(s);
}

/* leave_line - be it to come in or to go */
static void
leave_line(struct session *s)
{
	if (list_is_empty(&s->in_line))
		return;
	list_remove(&s->in_line);
	s->ap->in_line--;
}

/* session_come_in - when there is room and nobody came earlier */
int
session_come_in(struct task *t, struct session *s)
{
	struct account_process	*ap = s->ap;
	struct deadline		 d;
	int			 r = 0;

	if (list_is_empty(&ap->line) && has_room(ap)) {
		let_in(s);
		return 0;
	}
	if (ap->in_line >= IN_LINE_MAX)
		return -EBUSY;
	list_add_tail(&ap->line, &s->in_line);
	ap->in_line++;
	signal_set(&ap->room);
	deadline_begin(t, &d, ROOM_LIMIT);
	while (r == 0 && !s->is_in && !s->is_void)
		r = signal_wait(t, &s->turn);
	r = deadline_end(t, &d, r);
	leave_line(s);
	return r == -ETIMEDOUT && s->is_in ? 0 : r;
}

/* session_go_out - its place is free */
void
session_go_out(struct session *s)
{
	leave_line(s);
	if (s->is_in)
		s->ap->session_count--;
	s->is_in = false;
	signal_set(&s->ap->room);
}

/* session_active - it is the last in the order of silence now */
void
session_active(struct session *s)
{
	list_remove(&s->link);
	list_add_tail(&s->ap->sessions, &s->link);
	process_active(s->ap);
}

/* admit - those whose turn it is */
static void
admit(struct account_process *ap)
{
	while (!list_is_empty(&ap->line) && has_room(ap)) {
		struct session *s = CONTAINER_OF(ap->line.next,
		    struct session, in_line);

		leave_line(s);
		let_in(s);
		signal_set(&s->turn);
	}
}

/* is_leaving - will its place be free in a moment? */
static bool
is_leaving(const struct session *s, int64_t now)
{
	return s->sleep_now || (s->asked && now - s->asked_at < ASK_PATIENCE);
}

/* ask_some - as many as places are wanted */
static void
ask_some(struct account_process *ap, int64_t now)
{
	size_t leaving = 0;

	LIST_EACH(&ap->sessions, link)
		leaving += is_leaving(CONTAINER_OF(link, struct session, link),
		    now);
	LIST_EACH(&ap->sessions, link) {
		struct session *s = CONTAINER_OF(link, struct session, link);

		if (leaving >= ap->in_line)
			break;
		if (!s->asked && session_ask_sleep(s))
			leaving++;
	}
}

/* sessions_make_room - as long as the process lives */
int
sessions_make_room(struct task *t, void *arg)
{
	struct account_process	*ap = arg;
	struct deadline		 d;
	int			 r = 0;

	while (r == 0) {
		admit(ap);
		if (list_is_empty(&ap->line)) {
			r = signal_wait(t, &ap->room);
			continue;
		}
		ask_some(ap, task_now(t));
		deadline_begin(t, &d, LOOK_PAUSE);
		r = signal_wait(t, &ap->room);
		r = deadline_end(t, &d, r);
		if (r == -ETIMEDOUT)
			r = 0;
	}
	return r;
}
