/* SPDX-License-Identifier: ISC */
/*
 * tables: the tables of parameters and events of all daemons, from
 * tables.def. They are linked into the barid command, which runs none of the
 * daemons: it checks and explains configurations, and writes manual pages.
 */
#ifndef TOOLS_TABLES_H
#define TOOLS_TABLES_H

#include "libutil/log.h"
#include "libutil/param.h"

/* where a daemon declares its table is not for the tools to read: they know
 * nothing else of daemons */
#define PARAMS(owner, page)	extern const struct param_table owner##_param_table;
#define EVENTS(owner, page)	extern const struct event_table owner##_events;
#include "tools/tables.def"

struct tables_params {
	const struct param_table	*table;
	const char			*page;	/* "smtpd.8" */
};

struct tables_events {
	const struct event_table	*table;
	const char			*page;
};

/* a NULL table ends each array */
extern const struct tables_params	tables_params[];
extern const struct tables_events	tables_events[];

/* all parameters; PARAM_REGISTRY_INIT before, param_registry_free after */
void	tables_register(struct param_registry *registry);
/* the row of that table by its owner; NULL: none */
const struct tables_params	*tables_params_of(struct slice owner);
const struct tables_events	*tables_events_of(struct slice owner);

#endif
