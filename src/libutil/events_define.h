/* SPDX-License-Identifier: ISC */
/*
 * Defines what events_declare.h declares; smtpd_events.c is:
 *
 *	#include "smtpd/smtpd_events.h"
 *
 *	#define EVENTS_OWNER smtpd
 *	#define EVENTS_DEF "smtpd/smtpd_events.def"
 *	#include "libutil/events_define.h"
 */
#define EVENT(name, level, wording, doc) \
	const struct event EV_##name[1] = \
	    { { #name, LEVEL_##level, wording, doc } };
#include EVENTS_DEF

static const struct event *const EVENTS_PASTE(EVENTS_OWNER, _event_list)[] = {
#define EVENT(name, level, wording, doc) EV_##name,
#include EVENTS_DEF
};

const struct event_table EVENTS_PASTE(EVENTS_OWNER, _events) = {
	EVENTS_TEXT(EVENTS_OWNER),
	EVENTS_PASTE(EVENTS_OWNER, _event_list),
	COUNT(EVENTS_PASTE(EVENTS_OWNER, _event_list)),
};

#undef EVENTS_OWNER
#undef EVENTS_DEF
