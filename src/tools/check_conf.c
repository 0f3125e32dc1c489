/* SPDX-License-Identifier: ISC */
/* What main.cf and master.cf say: values, names, rows. */
#include <stdio.h>
#include <stdlib.h>

#include "libglobal/daemons.h"
#include "libutil/alloc.h"
#include "libutil/conf.h"
#include "tools/check.h"
#include "tools/tables.h"

static void
found_value(void *arg, const struct diag *diag)
{
	check_found_diag(arg, CHECK_ERROR, diag);
}

static void
found_unknown(void *arg, const struct conf_entry *entry,
    const struct diag *diag)
{
	struct check			*c = arg;
	const struct check_postfix	*p = check_postfix_find(entry->name);
	struct diag			 instead = *diag;

	/* a finding may also be about a name that the value refers to */
	if (p == NULL || param_registry_find(c->registry, entry->name) != NULL ||
	    strstr(diag->text, p->name) == NULL) {
		check_found_diag(c, CHECK_ERROR, diag);
		return;
	}
	(void)snprintf(instead.text, sizeof(instead.text), "%.*s is a "
	    "parameter of Postfix that is not here. %s",
	    SLICE_ARG(entry->name), p->sentence);
	check_found_diag(c, p->level, &instead);
}

/* layer_of - the configuration of a row, its overrides over main.cf */
static struct conf *
layer_of(struct check *c, const struct mastercf_service *row)
{
	struct conf *top = conf_new(c->tool->conf);

	for (size_t i = 0; i < row->override_count; i++)
		conf_put(top, row->override[i].name, row->override[i].value,
		    c->master_cf, row->override[i].line);
	return top;
}

/* check_row_values - do the values suit the daemon that reads them? */
static void
check_row_values(struct check *c, const struct mastercf_service *row,
    const struct conf *layer)
{
	const struct mastercf_command	*m = mastercf_command_find(row->command);
	const struct tables_params	*t;

	if (m == NULL || row->override_count == 0)
		return;
	t = tables_params_of(slice_of(m->daemon));
	for (size_t i = 0; t != NULL && i < t->table->count; i++) {
		const struct param	*p = &t->table->params[i];
		const struct param_table one = { t->table->owner, p, 1 };

		/* what main.cf itself says is checked once, for all */
		if (conf_find_here(layer, slice_of(p->name)) != NULL)
			(void)param_check(&one, layer, found_value, c);
	}
}

/* check_rewriting - an admin of Postfix expects more of these */
static void
check_rewriting(struct check *c)
{
	static const char *const params[] = { "canonical_maps",
		"sender_canonical_maps", "recipient_canonical_maps",
		"masquerade_domains" };

	for (size_t i = 0; i < COUNT(params); i++)
		if (tool_value(c->tool, params[i])[0] != '\0')
			check_found(c, CHECK_WARNING, params[i], "addresses in "
			    "header fields stay as they are in this version; "
			    "those of the envelope are rewritten");
}

/* check_parameters - values out of range, names nobody knows */
void
check_parameters(struct check *c)
{
	struct param_registry	 registry = PARAM_REGISTRY_INIT;
	const struct mastercf	*cf = &c->tool->cf;
	struct conf		**layer = NEW_ARRAY(struct conf *, cf->count + 1);

	tables_register(&registry);
	c->registry = &registry;
	for (const struct tables_params *t = tables_params; t->table != NULL; t++)
		(void)param_check(t->table, c->tool->conf, found_value, c);
	for (size_t i = 0; i < cf->count; i++) {
		layer[i] = layer_of(c, &cf->service[i]);
		check_row_values(c, &cf->service[i], layer[i]);
	}
	(void)param_unknown(&registry, c->tool->conf,
	    (const struct conf *const *)layer, cf->count, found_unknown, c);
	check_rewriting(c);
	for (size_t i = 0; i < cf->count; i++)
		conf_free(&layer[i]);
	free(layer);
	c->registry = NULL;
	param_registry_free(&registry);
}

/* check_service - which daemon does the work of a row? */
static void
check_service(struct check *c, const struct mastercf_service *row)
{
	const struct mastercf_command	*m = mastercf_command_find(row->command);
	struct slice	where = arena_printf(&c->tool->arena, "%s:%u",
			    c->master_cf, row->line);
	bool		missing = m != NULL && m->how == MASTERCF_RUN &&
			    daemons_find(slice_of(m->daemon)) == NULL;

	if (m == NULL)
		check_found(c, CHECK_ERROR, where.data, "service %.*s: no "
		    "daemon is called %.*s; take the row out or name another",
		    SLICE_ARG(row->name), SLICE_ARG(row->command));
	else if (missing)
		check_found(c, CHECK_WARNING, where.data, "service %.*s: %s is "
		    "not in this version; take the row out",
		    SLICE_ARG(row->name), m->daemon);
	else if (m->how == MASTERCF_NONE)
		check_found(c, CHECK_WARNING, where.data, "service %.*s (%s): "
		    "%s The row runs nothing.", SLICE_ARG(row->name), m->name,
		    m->sentence);
	else if (m->how == MASTERCF_INSIDE)
		check_found(c, CHECK_NOTE, where.data, "service %.*s (%s): "
		    "done by %s. %s", SLICE_ARG(row->name), m->name, m->daemon,
		    m->sentence);
}

/* check_unconfined - rows that ask for less confinement get none the less */
static void
check_unconfined(struct check *c)
{
	size_t count = 0;

	for (size_t i = 0; i < c->tool->cf.count; i++) {
		const struct mastercf_service *row = &c->tool->cf.service[i];

		count += row->chroot == MASTERCF_NO ||
		    row->unprivileged == MASTERCF_NO;
	}
	if (count > 0)
		check_found(c, CHECK_NOTE, c->master_cf, "%zu row%s for no "
		    "chroot or for privileges; the daemons are confined all "
		    "the same", count, count == 1 ? " asks" : "s ask");
}

/* check_services - every row of master.cf */
void
check_services(struct check *c)
{
	const struct mastercf	*cf = &c->tool->cf;
	bool			 listens = false;

	for (size_t i = 0; i < cf->count; i++) {
		check_service(c, &cf->service[i]);
		listens |= cf->service[i].type == MASTERCF_INET;
	}
	check_unconfined(c);
	if (cf->replaced_line > 0)
		check_found(c, CHECK_WARNING, c->master_cf, "the row in line "
		    "%u is replaced by a later one of the same name and type; "
		    "take one of them out", cf->replaced_line);
	if (!listens)
		check_found(c, CHECK_WARNING, c->master_cf, "no row of type "
		    "inet: nobody can connect");
}
