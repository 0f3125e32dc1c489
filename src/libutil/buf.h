/* SPDX-License-Identifier: ISC */
/*
 * buf: bytes to write, on the heap, growing up to a hard maximum. Appends
 * never fail one by one: what would exceed the maximum is not added, the buf
 * remembers that (buf_check), and every later append is dropped too, so a
 * writer is a straight run of buf_add calls with one check at its end.
 *
 * A buf that is BUF_INIT or all zero is empty and needs no buf_free.
 */
#ifndef LIBUTIL_BUF_H
#define LIBUTIL_BUF_H

#include <stdarg.h>

#include "libutil/slice.h"

#define BUF_MAX_DEFAULT	((size_t)64 << 20)

struct buf {
	char	*data;
	size_t	 len;
	size_t	 cap;
	size_t	 max;		/* 0 means BUF_MAX_DEFAULT */
	bool	 overflow;
};

#define BUF_INIT	{ NULL, 0, 0, 0, false }
#define BUF_INIT_MAX(n)	{ NULL, 0, 0, (n), false }

/* buf_slice - lends what is in it, until the next change */
static inline struct slice
buf_slice(const struct buf *b)
{
	return (struct slice){ b->data, b->len };
}

/* 0, or -EMSGSIZE if something did not fit since the last reset */
MUST_USE int	buf_check(const struct buf *b);
/* empty for reuse: keeps the memory and the maximum */
void	buf_reset(struct buf *b);
/* release the memory; the buf is empty and usable again */
void	buf_free(struct buf *b);
/* give away the memory as a NUL-terminated heap string and empty the buf */
char	*buf_take_text(struct buf *b);

void	buf_add(struct buf *b, struct slice s);
void	buf_add_byte(struct buf *b, char byte);
void	buf_add_text(struct buf *b, const char *text);
void	buf_add_u64(struct buf *b, uint64_t value);		/* decimal */
/* binary integers, little endian, as cursor_le16 and its like read them */
void	buf_add_le16(struct buf *b, uint16_t value);
void	buf_add_le32(struct buf *b, uint32_t value);
void	buf_add_le64(struct buf *b, uint64_t value);
void	buf_addf(struct buf *b, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));
void	buf_vaddf(struct buf *b, const char *format, va_list ap)
	    __attribute__((format(printf, 2, 0)));
/* make the next n bytes fit without another allocation, if they may */
void	buf_reserve(struct buf *b, size_t n);
/* room for n more bytes, to be filled by the caller and then claimed with
 * buf_grown; NULL (and overflow) if n does not fit */
char	*buf_room(struct buf *b, size_t n);
void	buf_grown(struct buf *b, size_t n);
/* shorten to len bytes (no-op if it is shorter already) */
void	buf_truncate(struct buf *b, size_t len);
/* drop the first n bytes */
void	buf_consume(struct buf *b, size_t n);
/* keep a NUL behind the text without counting it; lends the C string */
const char	*buf_cstr(struct buf *b);

#endif
