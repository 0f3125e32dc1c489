/* SPDX-License-Identifier: ISC */
/*
 * One row at a time: find the text (the conf's, else the default), expand it,
 * parse it by its type, check it, store it. Loading works on a copy of the
 * struct, so that a failure leaves the caller's as it was.
 */
#include "libutil/param.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "libutil/alloc.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/conf.h"
#include "libutil/diag.h"
#include "libutil/number.h"
#include "libutil/param_types.h"

/* reading a row */

/* full_name - the row's name, behind its service's if it belongs to one */
static struct slice
full_name(struct arena *a, const struct param *p, struct slice service)
{
	assert((p->name[0] == '_') == (service.len > 0));
	return arena_printf(a, "%.*s%s", SLICE_ARG(service), p->name);
}

/* expand - the expansion of a text in the arena */
static int
expand(struct param_row *row, const struct conf *conf, struct slice text,
    struct slice *ret_text)
{
	struct buf	out = BUF_INIT;
	int		r;

	if ((r = conf_expand(conf, text, &out, row->diag)) == 0)
		*ret_text = arena_dup(row->arena, buf_slice(&out));
	buf_free(&out);
	return r;
}

/* find_text - the text of the row as it counts */
static int
find_text(struct param_row *row)
{
	const struct conf_entry	*e = conf_find(row->conf, row->name);
	struct buf		 out = BUF_INIT;
	int			 r = 0;

	row->text = e == NULL ? slice_of(row->param->dflt) : e->value;
	if (row->param->type == PARAM_RAW)
		row->text = arena_dup(row->arena, row->text);
	else if (e == NULL)
		r = expand(row, row->conf, row->text, &row->text);
	else if ((r = conf_get(row->conf, row->name, &out, row->diag)) == 0)
		row->text = arena_dup(row->arena, buf_slice(&out));
	buf_free(&out);
	return r;
}

/* find_unit - the unit of a TIME without suffix: that of its default */
static int
find_unit(struct param_row *row)
{
	const struct conf	*bottom = row->conf;
	struct slice		 dflt = slice_of(row->param->dflt);
	int			 r;

	row->time_unit = NUMBER_SECOND;
	if (row->param->type != PARAM_TIME)
		return 0;
	/*
	 * A default that names another parameter has that one's unit; so it
	 * is expanded among the defaults alone, where units are written.
	 */
	while (conf_under(bottom) != NULL)
		bottom = conf_under(bottom);
	if (slice_find(dflt, '$') != SLICE_NONE &&
	    (r = expand(row, bottom, dflt, &dflt)) < 0)
		return r;
	if (number_time_unit(dflt) != 0)
		row->time_unit = number_time_unit(dflt);
	return 0;
}

/* locate - name the place of the definition that a finding is about */
static void
locate(const struct param_row *row, struct diag *found)
{
	const struct conf_entry *e = conf_find(row->conf, row->name);
	char			 file[sizeof(found->file)];

	if (e == NULL || found->line != 0 || found->file[0] != '\0')
		return;
	(void)snprintf(file, sizeof(file), "%.*s", SLICE_ARG(e->file));
	diag_file(found, file);
	found->line = e->line;
}

/* read_row - the value of one row */
static int
read_row(const struct param *p, struct slice service, const struct conf *conf,
    struct arena *a, struct param_value *v, struct diag *found)
{
	struct param_row row = { .param = p, .conf = conf, .arena = a,
	    .name = full_name(a, p, service), .diag = found };
	int	r;

	if ((r = find_unit(&row)) < 0 || (r = find_text(&row)) < 0 ||
	    (r = param_parse(&row, v)) < 0)
		locate(&row, found);
	return r;
}

/* tables */

/* struct_size - as much of the struct as the rows fill */
static size_t
struct_size(const struct param_table *t)
{
	size_t	end = 0;

	for (size_t i = 0; i < t->count; i++)
		end = size_max(end, t->params[i].offset +
		    param_value_size(t->params[i].type));
	return end;
}

/* param_load_service - fill the struct of a table, for a service */
int
param_load_service(const struct param_table *t, struct slice service,
    const struct conf *conf, struct arena *a, void *ret_struct,
    struct diag *diag)
{
	size_t		 size = struct_size(t);
	char		*copy = xcalloc(1, size);
	struct diag	 found = DIAG_INIT;
	int		 r = 0;

	for (size_t i = 0; i < t->count && r == 0; i++) {
		const struct param *p = &t->params[i];
		struct param_value  v = { 0 };

		if ((r = read_row(p, service, conf, a, &v, &found)) == 0)
			memcpy(&copy[p->offset], &v.u,
			    param_value_size(p->type));
	}
	if (r == 0) {
		memcpy(ret_struct, copy, size);
	} else {
		diag_file(diag, found.file);
		(void)diag_set(diag, found.line, 0, "%s", found.text);
	}
	free(copy);
	return r;
}

/* param_load - fill the struct of a table */
int
param_load(const struct param_table *t, const struct conf *conf,
    struct arena *a, void *ret_struct, struct diag *diag)
{
	return param_load_service(t, SLICE_EMPTY, conf, a, ret_struct, diag);
}

/* param_check_service - check every row of a table, for a service */
size_t
param_check_service(const struct param_table *t, struct slice service,
    const struct conf *conf, void (*found)(void *arg, const struct diag *),
    void *arg)
{
	struct arena	a = ARENA_INIT;
	size_t		count = 0;

	for (size_t i = 0; i < t->count; i++) {
		struct diag	d = DIAG_INIT;
		struct param_value v;

		if (read_row(&t->params[i], service, conf, &a, &v, &d) < 0) {
			found(arg, &d);
			count++;
		}
	}
	arena_free(&a);
	return count;
}

/* param_check - check every row of a table */
size_t
param_check(const struct param_table *t, const struct conf *conf,
    void (*found)(void *arg, const struct diag *), void *arg)
{
	return param_check_service(t, SLICE_EMPTY, conf, found, arg);
}

/* param_check_text - would the row take this text? */
int
param_check_text(const struct param *p, struct slice text, struct diag *diag)
{
	struct arena	 a = ARENA_INIT;
	struct conf	*empty = conf_new(NULL);
	struct param_row row = { .param = p, .conf = empty, .arena = &a,
			    .name = slice_of(p->name), .text = text,
			    .diag = diag };
	struct param_value  v;
	int		 r;

	if ((r = find_unit(&row)) == 0)
		r = param_parse(&row, &v);
	conf_free(&empty);
	arena_free(&a);
	return r;
}

/* param_defaults_service - the defaults of a table, for a service */
void
param_defaults_service(struct conf *conf, const struct param_table *t,
    struct slice service)
{
	struct arena	a = ARENA_INIT;
	struct slice	name;

	for (size_t i = 0; i < t->count; i++) {
		name = full_name(&a, &t->params[i], service);
		if (conf_find_here(conf, name) == NULL)
			conf_put(conf, name, slice_of(t->params[i].dflt), "",
			    0);
	}
	arena_free(&a);
}

/* param_defaults - the defaults of a table */
void
param_defaults(struct conf *conf, const struct param_table *t)
{
	param_defaults_service(conf, t, SLICE_EMPTY);
}
