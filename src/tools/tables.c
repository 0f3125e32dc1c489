/* SPDX-License-Identifier: ISC */
#include "tools/tables.h"

const struct tables_params tables_params[] = {
#define PARAMS(owner, page)	{ &owner##_param_table, page },
#include "tools/tables.def"
	{ NULL, NULL },
};

const struct tables_events tables_events[] = {
#define EVENTS(owner, page)	{ &owner##_events, page },
#include "tools/tables.def"
	{ NULL, NULL },
};

/* tables_register - put every table into a registry */
void
tables_register(struct param_registry *registry)
{
	for (const struct tables_params *p = tables_params; p->table; p++)
		param_registry_add(registry, p->table);
}

/* tables_params_of - the parameters of that owner */
const struct tables_params *
tables_params_of(struct slice owner)
{
	for (const struct tables_params *p = tables_params; p->table; p++)
		if (slice_equal(owner, slice_of(p->table->owner)))
			return p;
	return NULL;
}

/* tables_events_of - the events of that owner */
const struct tables_events *
tables_events_of(struct slice owner)
{
	for (const struct tables_events *p = tables_events; p->table; p++)
		if (slice_equal(owner, slice_of(p->table->owner)))
			return p;
	return NULL;
}
