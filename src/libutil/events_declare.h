/* SPDX-License-Identifier: ISC */
/*
 * Declares a daemon's events from its table. smtpd_events.h is, in a guard:
 *
 *	#define EVENTS_OWNER smtpd
 *	#define EVENTS_DEF "smtpd/smtpd_events.def"
 *	#include "libutil/events_declare.h"
 *
 * and gives EV_NAME for every row, usable as const struct event *, and
 * `extern const struct event_table smtpd_events`. smtpd_events.c says the
 * same with events_define.h. Included many times on purpose.
 */
#include "libutil/log.h"

#ifndef EVENTS_PASTE
#define EVENTS_PASTE2(a, b)	a##b
#define EVENTS_PASTE(a, b)	EVENTS_PASTE2(a, b)
#define EVENTS_TEXT2(a)		#a
#define EVENTS_TEXT(a)		EVENTS_TEXT2(a)
#endif

/* an array of one, so that the bare name is a pointer */
#define EVENT(name, level, wording, doc) extern const struct event EV_##name[1];
#include EVENTS_DEF

extern const struct event_table EVENTS_PASTE(EVENTS_OWNER, _events);

#undef EVENTS_OWNER
#undef EVENTS_DEF
