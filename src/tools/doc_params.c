/* SPDX-License-Identifier: ISC */
/* The rows of parameters, as a list of an mdoc page. */
#include <stdlib.h>

#include "libutil/buf.h"
#include "tools/doc.h"
#include "tools/mdoc.h"
#include "tools/tables.h"

#define ALL_MAX	2048

/* bounds - "A time, 1s to 1h." */
static void
bounds(struct buf *out, const struct param *p)
{
	bool	has_min = p->min[0] != '\0', has_max = p->max[0] != '\0';
	struct slice words = slice_of(p->min);

	if (p->type == PARAM_ENUM) {
		buf_add_text(out, "One of:");
		while (!slice_is_empty(words)) {
			struct slice word = slice_split(&words, '|');

			if (slice_is_empty(word))
				word = S("(empty)");
			buf_addf(out, " %.*s%s", SLICE_ARG(word),
			    slice_is_empty(words) ? "." : ",");
		}
		return;
	}
	buf_addf(out, "Type: %s", param_type_name(p->type));
	if (p->type == PARAM_STR || p->type == PARAM_RAW)
		has_min = has_max = false;	/* lengths help nobody */
	if (has_min && has_max)
		buf_addf(out, ", %s to %s", p->min, p->max);
	else if (has_min)
		buf_addf(out, ", at least %s", p->min);
	else if (has_max)
		buf_addf(out, ", at most %s", p->max);
	buf_add_byte(out, '.');
}

/* item - one parameter; readers says who reads it, empty: left out */
static void
item(struct buf *out, const struct param *p, struct slice readers)
{
	struct buf line = BUF_INIT;

	buf_addf(out, ".It Va %s%s Pq ", p->name[0] == '_' ? "transport" : "",
	    p->name);
	buf_addf(&line, "default: %s",
	    p->dflt[0] == '\0' ? "empty" : p->dflt);
	mdoc_arg(out, buf_slice(&line));
	buf_add_byte(out, '\n');
	mdoc_text(out, slice_of(p->gist));
	mdoc_text(out, slice_of(p->doc));
	buf_reset(&line);
	bounds(&line, p);
	if (!slice_is_empty(readers))
		buf_addf(&line, " Read by: %.*s.", SLICE_ARG(readers));
	mdoc_text(out, buf_slice(&line));
	buf_free(&line);
}

/* find - the row of that name in a table */
static const struct param *
find(const struct param_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->params[i].name, name) == 0)
			return &table->params[i];
	return NULL;
}

/* doc_params - those of one owner; shared ones stand in main.cf(5) */
int
doc_params(struct buf *out, struct slice owner)
{
	const struct tables_params	*t = tables_params_of(owner);
	const struct param_table	*shared;
	size_t				 count = 0;

	if (t == NULL)
		return -ENOENT;
	shared = tables_params_of(S("shared"))->table;
	buf_add_text(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < t->table->count; i++) {
		const struct param *p = &t->table->params[i];

		if (t->table != shared && find(shared, p->name) != NULL)
			continue;
		item(out, p, SLICE_EMPTY);
		count++;
	}
	buf_add_text(out, ".El\n");
	if (t->table != shared && count < t->table->count) {
		const char *between = "It also reads these parameters of "
		    "several daemons, see main.cf(5):";
		struct buf line = BUF_INIT;

		for (size_t i = 0; i < t->table->count; i++) {
			const char *name = t->table->params[i].name;

			if (find(shared, name) == NULL)
				continue;
			buf_addf(&line, "%s %s", between, name);
			between = ",";
		}
		buf_add_text(&line, ".");
		buf_add_text(out, ".Pp\n");
		mdoc_text(out, buf_slice(&line));
		buf_free(&line);
	}
	return buf_check(out);
}

/* by_name - for qsort */
static int
by_name(const void *a, const void *b)
{
	const struct param *const *pa = a, *const *pb = b;

	return strcmp((*pa)->name, (*pb)->name);
}

/* readers - "cleanup, smtpd": the pages of who has such a row */
static void
readers(struct buf *out, const char *name)
{
	const char *between = "";

	for (const struct tables_params *t = tables_params; t->table; t++) {
		struct slice page = slice_of(t->page);

		if (find(t->table, name) == NULL ||
		    !slice_has_suffix(page, S(".8")))
			continue;
		buf_addf(out, "%s%.*s", between, (int)page.len - 2, page.data);
		between = ", ";
	}
}

/* doc_all_params - every parameter, each once */
int
doc_all_params(struct buf *out, struct slice unused)
{
	const struct param	**all;
	struct buf		  who = BUF_INIT;
	size_t			  count = 0;

	(void)unused;		/* a part takes an argument or none */
	all = calloc(ALL_MAX, sizeof(all[0]));
	if (all == NULL)
		return -ENOMEM;
	for (const struct tables_params *t = tables_params; t->table; t++)
		for (size_t i = 0; i < t->table->count && count < ALL_MAX; i++)
			all[count++] = &t->table->params[i];
	/* which of two rows of a name comes first, the tables' order says */
	qsort(all, count, sizeof(all[0]), by_name);
	buf_add_text(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && strcmp(all[i - 1]->name, all[i]->name) == 0)
			continue;
		buf_reset(&who);
		readers(&who, all[i]->name);
		item(out, all[i], buf_slice(&who));
	}
	buf_add_text(out, ".El\n");
	buf_free(&who);
	free(all);
	return buf_check(out);
}
