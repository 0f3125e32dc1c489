/* SPDX-License-Identifier: ISC */
/*
 * A record is put together on the stack and lent to the sink; nothing is
 * formatted or allocated here. The set-up is the one thing that is global:
 * const after start-up.
 */
#include "libutil/log.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "libutil/buf.h"
#include "libutil/log_format.h"

#define PARENTS_MAX	8

/* system_now - the wall clock, until log_start names another */
static int64_t
system_now(void)
{
	struct timespec	ts = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &ts);	/* cannot fail */
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static struct log_setup	setup = {
	"barid", 0, false, log_sink_stderr, NULL, system_now
};

/* log_start - set up logging */
void
log_start(const struct log_setup *s)
{
	setup = *s;
	if (setup.program == NULL)
		setup.program = "barid";
	if (setup.sink == NULL)
		setup.sink = log_sink_stderr;
	if (setup.now_us == NULL)
		setup.now_us = system_now;
}

/* log_init - an empty context */
void
log_init(struct log *l, const struct log *parent)
{
	*l = (struct log){ .parent = parent };
}

/* find_own - the place of a key in a context, or NULL */
static struct kv *
find_own(struct log *l, const char *key)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->own[i].key, key) == 0)
			return &l->own[i];
	return NULL;
}

/* log_set - a key in the context */
void
log_set(struct log *l, struct kv kv)
{
	struct kv *at = find_own(l, kv.key);

	if (at == NULL) {
		assert(l->count < LOG_OWN_MAX);
		at = &l->own[l->count++];
	}
	*at = kv;
}

/* log_unset - a key out of the context */
void
log_unset(struct log *l, const char *key)
{
	struct kv *at = find_own(l, key);

	if (at == NULL)
		return;
	l->count--;
	memmove(at, at + 1, (size_t)(&l->own[l->count] - at) * sizeof(*at));
}

/* log_is_on - does anybody want to know? */
bool
log_is_on(const struct log *l, const struct event *event)
{
	if (event->level > LEVEL_DEBUG || setup.verbose)
		return true;
	for (; l != NULL; l = l->parent)
		if (l->verbose)
			return true;
	return false;
}

/* gather - the keys of a context and its parents, outermost first */
static size_t
gather(const struct log *l, struct kv *kvs, size_t max)
{
	const struct log *chain[PARENTS_MAX];
	size_t		  depth = 0, count = 0;

	for (; l != NULL; l = l->parent) {
		assert(depth < PARENTS_MAX);
		chain[depth++] = l;
	}
	while (depth-- > 0)
		for (size_t i = 0; i < chain[depth]->count; i++) {
			assert(count < max);
			kvs[count++] = chain[depth]->own[i];
		}
	return count;
}

/* log_event_kvs - tell the sink what happened */
void
log_event_kvs(const struct log *l, const struct event *event,
    const struct kv *kvs, size_t count)
{
	struct kv		context[LOG_CONTEXT_MAX];
	struct log_record	record;

	assert(count <= LOG_KVS_MAX);
	if (!log_is_on(l, event))
		return;
	record = (struct log_record){
		.time_us = setup.now_us(),
		.event = event,
		.program = slice_of(setup.program),
		.pid = setup.pid,
		.context = context,
		.context_count = gather(l, context, COUNT(context)),
		.kvs = kvs,
		.kv_count = count,
	};
	setup.sink(setup.sink_arg, &record);
}

/* log_sink_stderr - one line on standard error */
void
log_sink_stderr(void *arg, const struct log_record *record)
{
	struct buf line = BUF_INIT;

	(void)arg;
	buf_addf(&line, "%.*s", SLICE_ARG(record->program));
	if (record->pid != 0)
		buf_addf(&line, "[%ld]", (long)record->pid);
	buf_add(&line, S(": "));
	log_format_classic(&line, record);
	buf_add_byte(&line, '\n');
	/* nobody is left to hear that this failed */
	(void)fwrite(line.data, 1, line.len, stderr);
	buf_free(&line);
}

/* get - the last present key of that name in an array */
static const struct kv *
get(const struct kv *kvs, size_t count, const char *key)
{
	while (count-- > 0)
		if (kvs[count].type != KV_TYPE_ABSENT &&
		    strcmp(kvs[count].key, key) == 0)
			return &kvs[count];
	return NULL;
}

/* log_record_get - the value that counts under a key */
const struct kv *
log_record_get(const struct log_record *r, const char *key)
{
	const struct kv *kv = get(r->kvs, r->kv_count, key);

	return kv != NULL ? kv : get(r->context, r->context_count, key);
}

/* log_level_name - the word for a level */
const char *
log_level_name(enum log_level level)
{
	static const char *const names[LEVEL_COUNT] = {
		"debug", "info", "warning", "error", "fatal"
	};

	assert(level < LEVEL_COUNT);
	return names[level];
}
