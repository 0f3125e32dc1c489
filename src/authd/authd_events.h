/* SPDX-License-Identifier: ISC */
#ifndef AUTHD_AUTHD_EVENTS_H
#define AUTHD_AUTHD_EVENTS_H

#define EVENTS_OWNER authd
#define EVENTS_DEF "authd/authd_events.def"
#include "libutil/events_declare.h"

#endif
