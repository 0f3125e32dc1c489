/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libutil/conf.h"
#include "libutil/conf_edit.h"

/* print - the layer as a main.cf, and every value expanded for its own sake */
static void
print(const struct conf *c, struct buf *out)
{
	struct buf		 value = BUF_INIT;
	const struct conf_entry	*e;

	for (size_t at = 0; (e = conf_each(c, &at)) != NULL;) {
		buf_reset(&value);
		FUZZ_CHECK(conf_get(c, e->name, &value, NULL) != -ENOENT);
		buf_add(out, e->name);
		buf_add(out, S(" = "));
		buf_add(out, e->value);
		buf_add_byte(out, '\n');
	}
	buf_free(&value);
}

/* check_same - do both layers define the same? */
static void
check_same(const struct conf *a, const struct conf *b)
{
	const struct conf_entry *e, *f;

	for (size_t at = 0; (e = conf_each(a, &at)) != NULL;) {
		f = conf_find_here(b, e->name);
		FUZZ_CHECK(f != NULL && slice_equal(e->value, f->value));
	}
}

/* check_edit - does setting a name change that name alone? */
static void
check_edit(struct slice text, const struct conf *c)
{
	struct conf		*edited = conf_new(NULL);
	struct buf		 out = BUF_INIT;
	const struct conf_entry	*e;

	FUZZ_CHECK(conf_edit_set(text, S("a"), S("new"), &out, NULL) == 0);
	FUZZ_CHECK(conf_read(edited, buf_slice(&out), "", NULL) == 0);
	FUZZ_CHECK(slice_equal(conf_find(edited, S("a"))->value, S("new")));
	for (size_t at = 0; (e = conf_each(c, &at)) != NULL;)
		if (!slice_equal(e->name, S("a")))
			FUZZ_CHECK(slice_equal(e->value,
			    conf_find(edited, e->name)->value));
	conf_free(&edited);

	edited = conf_new(NULL);
	buf_reset(&out);
	FUZZ_CHECK(conf_edit_remove(text, S("a"), &out, NULL) == 0);
	FUZZ_CHECK(conf_read(edited, buf_slice(&out), "", NULL) == 0);
	FUZZ_CHECK(conf_find(edited, S("a")) == NULL);
	conf_free(&edited);
	buf_free(&out);
}

FUZZ(conf)			/* what reads, prints, and reads back the same */
{
	struct conf	*c = conf_new(NULL), *again = conf_new(NULL);
	struct conf	*restored = NULL;
	struct buf	 bytes = BUF_INIT;
	struct slice	 rest = input, item;

	while (conf_list_next(&rest, &item) > 0)
		(void)conf_list_group(item, &item);
	FUZZ_CHECK((conf_restore(input, &restored) == 0) == (restored != NULL));
	conf_free(&restored);
	if (conf_read(c, input, "x", NULL) == 0) {
		print(c, scratch);
		FUZZ_CHECK(conf_read(again, buf_slice(scratch), "x", NULL) == 0);
		check_same(c, again);
		check_same(again, c);
		conf_snapshot(c, &bytes);
		FUZZ_CHECK(conf_restore(buf_slice(&bytes), &restored) == 0);
		check_same(c, restored);
		check_edit(input, c);
	}
	buf_free(&bytes);
	conf_free(&restored);
	conf_free(&again);
	conf_free(&c);
}
