/* SPDX-License-Identifier: ISC */
/*
 * json_write: JSON into a buf, part by part, without white space:
 *
 *	struct json_writer w = json_writer_into(&out);
 *
 *	json_object_begin(&w);
 *	json_key(&w, S("size"));
 *	json_int(&w, 17);
 *	json_object_end(&w);
 *	json_writer_end(&w);
 *
 * Commas and nesting are the writer's business: a value without its key, an
 * end without its beginning, or a second value at the top is our own mistake
 * and fails an assert. What does not fit makes the buf overflow (buf_check).
 * A string may hold any bytes: those that are not UTF-8 become U+FFFD.
 */
#ifndef LIBUTIL_JSON_WRITE_H
#define LIBUTIL_JSON_WRITE_H

#include "libutil/slice.h"

struct buf;

#define JSON_DEPTH_MAX	64

struct json_writer {
	struct buf	*out;
	uint64_t	 is_object;	/* bit n: is the level n an object? */
	uint8_t		 depth;
	bool		 comma;		/* before what comes next */
	bool		 after_key;
};

static inline struct json_writer
json_writer_into(struct buf *out)
{
	return (struct json_writer){ out, 0, 0, false, false };
}

/* asserts that everything begun has ended and there is a value */
void	json_writer_end(struct json_writer *);

void	json_object_begin(struct json_writer *);
void	json_object_end(struct json_writer *);
void	json_array_begin(struct json_writer *);
void	json_array_end(struct json_writer *);
void	json_key(struct json_writer *, struct slice key);

void	json_string(struct json_writer *, struct slice s);
void	json_text(struct json_writer *, const char *text);	/* NULL: null */
void	json_int(struct json_writer *, int64_t i);
void	json_uint(struct json_writer *, uint64_t u);
/* with digits enough to read back the same; never without "." or exponent.
 * Infinity and not-a-number, which JSON lacks, become null */
void	json_double(struct json_writer *, double d);
void	json_bool(struct json_writer *, bool b);
void	json_null(struct json_writer *);
/* a value that is JSON already; the caller answers for it */
void	json_raw(struct json_writer *, struct slice json);

/* only the string with its quotes, for those who write no other JSON */
void	json_quote(struct buf *out, struct slice s);

#endif
