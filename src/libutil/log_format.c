/* SPDX-License-Identifier: ISC */
/*
 * Every value goes through add_safe, whatever its type, so that no printer
 * can forget. The classic printer walks the wording once; log_check_events
 * walks it by the same steps.
 */
#include "libutil/log_format.h"

#include <inttypes.h>
#include <stdio.h>

#include "libutil/buf.h"
#include "libutil/calendar.h"
#include "libutil/cursor.h"
#include "libutil/diag.h"
#include "libutil/json_write.h"
#include "libutil/utf8.h"

enum form { FORM_CLASSIC, FORM_LOGFMT, FORM_JSON };

/* is_unsafe - would a terminal or a viewer not just show it? Controls, line
 * and paragraph separators, and what reorders text */
static bool
is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) ||
	    (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/* add_escaped - a character that may not stand as it is */
static void
add_escaped(struct buf *out, uint32_t c, enum form form)
{
	if (form == FORM_CLASSIC)
		buf_add_byte(out, '?');
	else if (c == '\n')
		buf_add(out, S("\\n"));
	else if (c == '\t')
		buf_add(out, S("\\t"));
	else if (c < 0x80 && form == FORM_LOGFMT)
		buf_addf(out, "\\x%02x", c);
	else
		buf_addf(out, "\\u%04x", c);
}

/* add_bad_byte - a byte that is not UTF-8 */
static void
add_bad_byte(struct buf *out, int byte, enum form form)
{
	if (form == FORM_CLASSIC)
		buf_add_byte(out, '?');
	else if (form == FORM_LOGFMT)
		buf_addf(out, "\\x%02x", byte);
	else
		utf8_encode(out, UTF8_REPLACEMENT);
}

/* plain_length - how many bytes at the front need no second look */
static size_t
plain_length(struct slice s, enum form form)
{
	size_t	n = 0;

	while (n < s.len && s.data[n] >= ' ' && s.data[n] < 127 &&
	    (form == FORM_CLASSIC || (s.data[n] != '"' && s.data[n] != '\\')))
		n++;
	return n;
}

/* add_safe - any bytes as printable UTF-8 */
static void
add_safe(struct buf *out, struct slice s, enum form form)
{
	struct slice	kept = utf8_cut(s, LOG_VALUE_MAX);
	struct cursor	c = cursor_over(kept);
	uint32_t	ch;

	for (;;) {
		buf_add(out, cursor_take(&c, plain_length(cursor_rest(&c),
		    form)));
		if (cursor_at_end(&c))
			break;
		if (utf8_decode(&c, &ch) < 0)
			add_bad_byte(out, cursor_byte(&c), form);
		else if (is_unsafe(ch))
			add_escaped(out, ch, form);
		else if (form != FORM_CLASSIC && (ch == '"' || ch == '\\'))
			buf_addf(out, "\\%c", (int)ch);
		else
			utf8_encode(out, ch);
	}
	if (kept.len < s.len)
		buf_add(out, S("..."));
}

/* add_span - a duration as Postfix writes delays: seconds, two digits that
 * count, no more than two after the point */
static void
add_span(struct buf *out, int64_t ms)
{
	int64_t	hundredths = (ms < 0 ? 0 : ms);

	hundredths = hundredths / 10 + (hundredths % 10 >= 5);
	if (hundredths >= 1000) {		/* ten seconds and more */
		hundredths = hundredths / 100 + (hundredths % 100 >= 50);
		buf_addf(out, "%" PRId64, hundredths);
		return;
	}
	if (hundredths >= 100)			/* one digit after the point */
		hundredths = (hundredths + 5) / 10 * 10;
	buf_addf(out, "%" PRId64, hundredths / 100);
	if (hundredths % 100 == 0)
		return;
	if (hundredths % 10 == 0)
		buf_addf(out, ".%" PRId64, hundredths / 10 % 10);
	else
		buf_addf(out, ".%02" PRId64, hundredths % 100);
}

/* error_text - what a negative errno is called */
static struct slice
error_text(int64_t r, enum form form)
{
	int		code = r < 0 && r > -4096 ? (int)-r : 0;
	const char	*text = form == FORM_CLASSIC ? strerrordesc_np(code) :
			    strerrorname_np(code);

	return text == NULL ? S("unknown error") : slice_of(text);
}

/* add_value - a value of any type, without quotes */
static void
add_value(struct buf *out, const struct kv *kv, enum form form)
{
	switch (kv->type) {
	case KV_TYPE_ABSENT:
		break;
	case KV_TYPE_STR:
		add_safe(out, kv->value.s, form);
		break;
	case KV_TYPE_INT:
		buf_addf(out, "%" PRId64, kv->value.i);
		break;
	case KV_TYPE_UINT:
		buf_add_u64(out, kv->value.u);
		break;
	case KV_TYPE_BOOL:
		if (form == FORM_CLASSIC)
			buf_add_text(out, kv->value.i != 0 ? "yes" : "no");
		else
			buf_add_text(out, kv->value.i != 0 ? "true" : "false");
		break;
	case KV_TYPE_ERR:
		add_safe(out, error_text(kv->value.i, form), form);
		break;
	case KV_TYPE_TIME:
		if (kv->value.i > INT64_MIN / 1000 &&
		    kv->value.i < INT64_MAX / 1000)
			calendar_format_iso(out, kv->value.i * 1000, 0, 3);
		else
			buf_addf(out, "%" PRId64, kv->value.i);
		break;
	case KV_TYPE_SPAN:
		if (form == FORM_CLASSIC)
			add_span(out, kv->value.i);
		else
			buf_addf(out, "%s%" PRIu64 ".%03u",
			    kv->value.i < 0 ? "-" : "",
			    (kv->value.i < 0 ? -(uint64_t)kv->value.i :
			    (uint64_t)kv->value.i) / 1000,
			    (unsigned)((kv->value.i < 0 ?
			    -(uint64_t)kv->value.i :
			    (uint64_t)kv->value.i) % 1000));
		break;
	}
}

/* the wording */

#define KEY_MAX	64

/* get - the value of a key that is not NUL-terminated */
static const struct kv *
get(const struct log_record *r, struct slice key)
{
	char	name[KEY_MAX + 1];

	if (key.len > KEY_MAX)
		return NULL;
	if (key.len > 0)
		memcpy(name, key.data, key.len);
	name[key.len] = '\0';
	return log_record_get(r, name);
}

/* split_key - "key|text" into its parts */
static struct slice
split_key(struct slice inside, struct slice *ret_default)
{
	size_t	bar = slice_find(inside, '|');

	*ret_default = bar == SLICE_NONE ? SLICE_EMPTY :
	    slice_from(inside, bar + 1);
	return slice_sub(inside, 0, bar == SLICE_NONE ? inside.len : bar);
}

/*
 * put_text - wording without optional parts; false if a key had no value and
 * no text to stand in for it
 */
static bool
put_text(struct buf *out, const struct log_record *r, struct slice text)
{
	struct cursor		 c = cursor_over(text);
	struct slice		 key, instead;
	const struct kv		*kv;
	bool			 whole = true;

	while (!cursor_at_end(&c)) {
		buf_add(out, cursor_take_until(&c, '{'));
		if (cursor_skip(&c, S("{{"))) {
			buf_add_byte(out, '{');
			continue;
		}
		if (!cursor_skip_byte(&c, '{'))
			break;
		key = split_key(cursor_take_until(&c, '}'), &instead);
		(void)cursor_skip_byte(&c, '}');
		kv = get(r, key);
		if (kv != NULL)
			add_value(out, kv, FORM_CLASSIC);
		else if (instead.len > 0)
			buf_add(out, instead);
		else
			whole = false;
	}
	return whole;
}

/* put_wording - the whole wording, optional parts only if whole */
static void
put_wording(struct buf *out, const struct log_record *r, struct slice wording)
{
	struct slice	rest = wording, part;
	size_t		open, close, mark;

	while ((open = slice_find_slice(rest, S("{?"))) != SLICE_NONE) {
		(void)put_text(out, r, slice_sub(rest, 0, open));
		rest = slice_from(rest, open + 2);
		close = slice_find_slice(rest, S("?}"));
		part = slice_sub(rest, 0, close);
		rest = close == SLICE_NONE ? SLICE_EMPTY :
		    slice_from(rest, close + 2);
		mark = out->len;
		if (!put_text(out, r, part))
			buf_truncate(out, mark);
	}
	(void)put_text(out, r, rest);
}

/* put_classic - the line without its level */
static void
put_classic(struct buf *out, const struct log_record *r)
{
	struct slice		 wording = slice_of(r->event->wording);
	const struct kv		*id = log_record_get(r, LOG_QUEUE_ID);

	if (id != NULL &&
	    slice_find_slice(wording, S("{" LOG_QUEUE_ID)) == SLICE_NONE) {
		add_value(out, id, FORM_CLASSIC);
		buf_add(out, S(": "));
	}
	put_wording(out, r, wording);
}

/* log_format_classic - as Postfix would say it */
void
log_format_classic(struct buf *out, const struct log_record *r)
{
	static const char *const prefix[LEVEL_COUNT] = {
		"", "", "warning: ", "error: ", "fatal: "
	};

	buf_add_text(out, prefix[r->event->level]);
	put_classic(out, r);
}

/* keys and values */

/* is_reserved - is it a key that the printers write themselves? */
static bool
is_reserved(const char *key)
{
	static const char *const own[] = {
		"time", "level", "event", "program", "pid", "text"
	};

	for (size_t i = 0; i < COUNT(own); i++)
		if (strcmp(key, own[i]) == 0)
			return true;
	return false;
}

/* each - the nth key that counts, of context and event; NULL if overruled or
 * absent */
static const struct kv *
each(const struct log_record *r, size_t n)
{
	const struct kv *kv = n < r->context_count ? &r->context[n] :
	    &r->kvs[n - r->context_count];

	/* a key is said once: the innermost counts */
	return log_record_get(r, kv->key) == kv ? kv : NULL;
}

/* add_key - the key, marked if it would collide with the printers' own */
static void
add_key(struct buf *out, const char *key)
{
	buf_add_text(out, key);
	if (is_reserved(key))
		buf_add_byte(out, '_');
}

/* add_event_name - in small letters */
static void
add_event_name(struct buf *out, const struct event *event)
{
	for (const char *c = event->name; *c != '\0'; c++)
		buf_add_byte(out, ascii_lower(*c));
}

/* needs_quotes - can the logfmt value not stand bare? */
static bool
needs_quotes(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] == ' ' || s.data[i] == '=' || s.data[i] == '"' ||
		    s.data[i] == '\\')
			return true;
	return s.len == 0;
}

/* quote_if_needed - put quotes around what was added since a mark */
static void
quote_if_needed(struct buf *out, size_t mark)
{
	char	*room;

	if (!needs_quotes(slice_from(buf_slice(out), mark)) ||
	    (room = buf_room(out, 2)) == NULL)
		return;
	memmove(out->data + mark + 1, out->data + mark, out->len - mark);
	out->data[mark] = '"';
	buf_grown(out, 1);
	buf_add_byte(out, '"');
}

/* log_format_logfmt - key=value pairs */
void
log_format_logfmt(struct buf *out, const struct log_record *r)
{
	const struct kv	*kv;
	size_t		 mark;

	buf_add(out, S("time="));
	calendar_format_iso(out, r->time_us, 0, 6);
	buf_addf(out, " level=%s event=", log_level_name(r->event->level));
	add_event_name(out, r->event);
	buf_add(out, S(" program="));
	mark = out->len;
	add_safe(out, r->program, FORM_LOGFMT);
	quote_if_needed(out, mark);
	buf_addf(out, " pid=%ld", (long)r->pid);
	for (size_t i = 0; i < r->context_count + r->kv_count; i++) {
		if ((kv = each(r, i)) == NULL)
			continue;
		buf_add_byte(out, ' ');
		add_key(out, kv->key);
		buf_add_byte(out, '=');
		mark = out->len;
		add_value(out, kv, FORM_LOGFMT);
		quote_if_needed(out, mark);
	}
}

/* is_bare - does JSON write such a value without quotes? */
static bool
is_bare(enum kv_type type)
{
	return type == KV_TYPE_INT || type == KV_TYPE_UINT ||
	    type == KV_TYPE_BOOL || type == KV_TYPE_SPAN;
}

/* log_format_json - one object */
void
log_format_json(struct buf *out, const struct log_record *r)
{
	struct buf	 text = BUF_INIT;
	const struct kv	*kv;

	buf_add(out, S("{\"time\":\""));
	calendar_format_iso(out, r->time_us, 0, 6);
	buf_addf(out, "\",\"level\":\"%s\",\"event\":\"",
	    log_level_name(r->event->level));
	add_event_name(out, r->event);
	buf_add(out, S("\",\"program\":\""));
	add_safe(out, r->program, FORM_JSON);
	buf_addf(out, "\",\"pid\":%ld", (long)r->pid);
	for (size_t i = 0; i < r->context_count + r->kv_count; i++) {
		if ((kv = each(r, i)) == NULL)
			continue;
		buf_add(out, S(",\""));
		add_key(out, kv->key);
		buf_add(out, S("\":"));
		if (!is_bare(kv->type))
			buf_add_byte(out, '"');
		add_value(out, kv, FORM_JSON);
		if (!is_bare(kv->type))
			buf_add_byte(out, '"');
	}
	put_classic(&text, r);
	buf_add(out, S(",\"text\":"));
	json_quote(out, buf_slice(&text));
	buf_add_byte(out, '}');
	buf_free(&text);
}

/* checking wordings */

/* is_key - a-z, 0-9 and _, not too long */
static bool
is_key(struct slice key)
{
	for (size_t i = 0; i < key.len; i++)
		if (!(key.data[i] >= 'a' && key.data[i] <= 'z') &&
		    !ascii_is_digit(key.data[i]) && key.data[i] != '_')
			return false;
	return key.len > 0 && key.len <= KEY_MAX;
}

/* check_wording - are all braces in order? */
static bool
check_wording(struct slice wording)
{
	struct cursor	c = cursor_over(wording);
	struct slice	instead;
	bool		optional = false, open, close;

	while (!cursor_at_end(&c)) {
		if (cursor_skip(&c, S("{{"))) {
			if (cursor_peek(&c) == '?')	/* "{?" in print */
				return false;
			continue;
		}
		open = cursor_skip(&c, S("{?"));
		close = !open && cursor_skip(&c, S("?}"));
		if (open || close) {
			if (optional == open)		/* they do not nest */
				return false;
			optional = open;
			continue;
		}
		if (!cursor_skip_byte(&c, '{')) {
			(void)cursor_byte(&c);
			continue;
		}
		if (!is_key(split_key(cursor_take_until(&c, '}'), &instead)) ||
		    !cursor_skip_byte(&c, '}'))
			return false;
	}
	return !optional;
}

/* log_check_events - are the wordings of a table well formed? */
int
log_check_events(const struct event_table *table, struct diag *diag)
{
	for (size_t i = 0; i < table->count; i++)
		if (!check_wording(slice_of(table->events[i]->wording)))
			return diag_set(diag, 0, 0,
			    "event %s: braces out of order in \"%s\"",
			    table->events[i]->name, table->events[i]->wording);
	return 0;
}
