/* SPDX-License-Identifier: ISC */
/* Reading and printing a tree that json.c has made. */
#include "libutil/json.h"

/* json_is - a value of that type? */
bool
json_is(const struct json *v, enum json_type type)
{
	return v != NULL && v->type == type;
}

/* json_get - the member of an object */
const struct json *
json_get(const struct json *v, struct slice key)
{
	const struct json_member *m;
	uint32_t	 from = 0, to, middle;
	int		 order;

	if (!json_is(v, JSON_OBJECT))
		return NULL;
	for (to = v->count; from < to;) {
		middle = from + (to - from) / 2;
		m = &v->u.members[v->u.members[middle].sorted];
		if ((order = slice_compare(key, m->key)) == 0)
			return &m->value;
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return NULL;
}

/* json_at - the nth item of an array */
const struct json *
json_at(const struct json *v, size_t n)
{
	return json_is(v, JSON_ARRAY) && n < v->count ? &v->u.items[n] : NULL;
}

/* json_get_bool - true or false */
bool
json_get_bool(const struct json *v, bool *ret_value)
{
	if (!json_is(v, JSON_BOOL))
		return false;
	*ret_value = v->u.b;
	return true;
}

/* json_get_int - an integer */
bool
json_get_int(const struct json *v, int64_t *ret_value)
{
	if (!json_is(v, JSON_INT))
		return false;
	*ret_value = v->u.i;
	return true;
}

/* json_get_double - any number */
bool
json_get_double(const struct json *v, double *ret_value)
{
	if (json_is(v, JSON_INT))
		*ret_value = (double)v->u.i;
	else if (json_is(v, JSON_DOUBLE))
		*ret_value = v->u.d;
	else
		return false;
	return true;
}

/* json_get_string - a string */
bool
json_get_string(const struct json *v, struct slice *ret_value)
{
	if (!json_is(v, JSON_STRING))
		return false;
	*ret_value = v->u.s;
	return true;
}

/* json_value - write a tree; as deep as json_parse lets it be */
void
json_value(struct json_writer *w, const struct json *v)
{
	switch (v->type) {
	case JSON_NULL:
		json_null(w);
		break;
	case JSON_BOOL:
		json_bool(w, v->u.b);
		break;
	case JSON_INT:
		json_int(w, v->u.i);
		break;
	case JSON_DOUBLE:
		json_double(w, v->u.d);
		break;
	case JSON_STRING:
		json_string(w, v->u.s);
		break;
	case JSON_ARRAY:
		json_array_begin(w);
		for (uint32_t i = 0; i < v->count; i++)
			json_value(w, &v->u.items[i]);
		json_array_end(w);
		break;
	case JSON_OBJECT:
		json_object_begin(w);
		for (uint32_t i = 0; i < v->count; i++) {
			json_key(w, v->u.members[i].key);
			json_value(w, &v->u.members[i].value);
		}
		json_object_end(w);
		break;
	}
}

/* equal_levels - the same items, or members in any order? */
static bool
equal_levels(const struct json *a, const struct json *b)
{
	const struct json_member *m;

	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		m = a->type == JSON_OBJECT ? &a->u.members[i] : NULL;
		if (!json_equal(m != NULL ? &m->value : &a->u.items[i],
		    m != NULL ? json_get(b, m->key) : &b->u.items[i]))
			return false;
	}
	return true;
}

/* json_equal - the same value? */
bool
json_equal(const struct json *a, const struct json *b)
{
	if (a == NULL || b == NULL || a->type != b->type)
		return a == b;
	switch (a->type) {
	case JSON_NULL:
		return true;
	case JSON_BOOL:
		return a->u.b == b->u.b;
	case JSON_INT:
		return a->u.i == b->u.i;
	case JSON_DOUBLE:
		return memcmp(&a->u.d, &b->u.d, sizeof(double)) == 0;
	case JSON_STRING:
		return slice_equal(a->u.s, b->u.s);
	case JSON_ARRAY:
	case JSON_OBJECT:
		return equal_levels(a, b);
	}
	return false;
}
