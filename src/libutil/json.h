/* SPDX-License-Identifier: ISC */
/*
 * json: a JSON text as a tree in an arena. Strict, as RFC 8259 and I-JSON
 * (RFC 7493) want it from those who exchange it: UTF-8 alone, no lone
 * surrogate, no duplicate key, nothing behind the value, no number that would
 * not fit. Numbers written as integers that fit 64 bits are kept exactly.
 *
 * The tree lives as long as the arena and the text: a string without escapes
 * is lent from the text. It costs at most some 60 bytes for a byte of text,
 * so who parses a stranger's text limits its length first.
 *
 * The accessors take NULL and values of another type, and then give nothing:
 * a chain of json_get asks for a path without a check at each step.
 */
#ifndef LIBUTIL_JSON_H
#define LIBUTIL_JSON_H

#include "libutil/json_write.h"
#include "libutil/slice.h"

struct arena;
struct diag;

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_INT,
	JSON_DOUBLE,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json {
	enum json_type	type;
	uint32_t	count;		/* of items or members */
	union {
		bool				 b;
		int64_t				 i;
		double				 d;
		struct slice			 s;
		const struct json		*items;
		const struct json_member	*members;	/* as written */
	} u;
};

struct json_member {
	struct slice	key;
	struct json	value;
	uint32_t	sorted;		/* the nth by key is that member */
};

/* parse a whole text: nested at most JSON_DEPTH_MAX deep. -EBADMSG with line
 * and column; -ERANGE for a number or -EMSGSIZE for a depth or length that we
 * do not take */
MUST_USE int	json_parse(struct arena *, struct slice text,
		    const struct json **ret_json, struct diag *);

/* the member of an object, or NULL */
const struct json	*json_get(const struct json *, struct slice key);
/* the nth item of an array, or NULL */
const struct json	*json_at(const struct json *, size_t n);
/* is there a value, and of that type? */
bool	json_is(const struct json *, enum json_type);

/* each says whether the value is of that type, and only then sets it */
bool	json_get_bool(const struct json *, bool *ret_value);
bool	json_get_int(const struct json *, int64_t *ret_value);
/* an integer is a double, too */
bool	json_get_double(const struct json *, double *ret_value);
bool	json_get_string(const struct json *, struct slice *ret_value);

/* write a tree, members in the order in which they were written */
void	json_value(struct json_writer *, const struct json *);
/* the same value? the order of members does not count */
bool	json_equal(const struct json *, const struct json *);

#endif
