/* SPDX-License-Identifier: ISC */
/* What parses, prints, and parses back the same; edits leave a text that
 * parses. */
#include "libglobal/mastercf.h"
#include "libutil/arena.h"
#include "libutil/diag.h"
#include "test.h"

/* same - are two rows equal but for where they stand? */
static bool
same(const struct mastercf_service *a, const struct mastercf_service *b)
{
	if (!slice_equal(a->name, b->name) || a->type != b->type ||
	    a->is_private != b->is_private ||
	    a->unprivileged != b->unprivileged || a->chroot != b->chroot ||
	    a->wakeup != b->wakeup ||
	    a->wakeup_if_used != b->wakeup_if_used ||
	    a->maxproc_default != b->maxproc_default ||
	    a->maxproc != b->maxproc || !slice_equal(a->command, b->command) ||
	    a->verbose != b->verbose || a->debug != b->debug ||
	    a->override_count != b->override_count ||
	    a->arg_count != b->arg_count)
		return false;
	for (size_t i = 0; i < a->override_count; i++)
		if (!slice_equal(a->override[i].name, b->override[i].name) ||
		    !slice_equal(a->override[i].value, b->override[i].value))
			return false;
	for (size_t i = 0; i < a->arg_count; i++)
		if (!slice_equal(a->arg[i], b->arg[i]))
			return false;
	return true;
}

/* edit - every edit of the last row */
static void
edit(struct slice text, const struct mastercf_service *s, struct buf *out,
    struct arena *a)
{
	struct slice value = S("a value");
	struct mastercf cf;

	FUZZ_CHECK(mastercf_edit_override(text, s->name, s->type, S("fuzzed"),
	    &value, out, NULL) == 0);
	FUZZ_CHECK(mastercf_parse(buf_slice(out), "", a, NULL, &cf) == 0);
	s = mastercf_find(&cf, s->name, s->type);
	FUZZ_CHECK(s != NULL && s->override_count > 0);
	buf_reset(out);
	FUZZ_CHECK(mastercf_edit_field(text, s->name, s->type, MASTERCF_WAKEUP,
	    S("7?"), out, NULL) == 0);
	FUZZ_CHECK(mastercf_parse(buf_slice(out), "", a, NULL, &cf) == 0);
	s = mastercf_find(&cf, s->name, s->type);
	FUZZ_CHECK(s != NULL && s->wakeup == 7 && s->wakeup_if_used);
	buf_reset(out);
	FUZZ_CHECK(mastercf_edit_comment(text, s->name, s->type, out, NULL) == 0);
	FUZZ_CHECK(mastercf_parse(buf_slice(out), "", a, NULL, &cf) == 0);
	FUZZ_CHECK(mastercf_find(&cf, s->name, s->type) == NULL);
	buf_reset(out);
	FUZZ_CHECK(mastercf_edit_remove(text, s->name, s->type, out, NULL) == 0);
	FUZZ_CHECK(mastercf_parse(buf_slice(out), "", a, NULL, &cf) == 0);
	FUZZ_CHECK(mastercf_find(&cf, s->name, s->type) == NULL);
}

FUZZ(mastercf_parse)
{
	struct arena a = ARENA_INIT;
	struct mastercf cf, again;
	struct diag d = DIAG_INIT;

	if (mastercf_parse(input, "f", &a, &d, &cf) < 0) {
		FUZZ_CHECK(d.text[0] != '\0');
		goto out;
	}
	for (size_t i = 0; i < cf.count; i++)
		mastercf_format(scratch, &cf.service[i], i % 2 == 0);
	FUZZ_CHECK(mastercf_parse(buf_slice(scratch), "f", &a, &d, &again) == 0);
	FUZZ_CHECK(again.count == cf.count);
	for (size_t i = 0; i < cf.count; i++)
		FUZZ_CHECK(same(&cf.service[i], &again.service[i]));
	buf_reset(scratch);
	if (cf.count > 0)
		edit(input, &cf.service[cf.count - 1], scratch, &a);
out:
	arena_free(&a);
}
