/* SPDX-License-Identifier: ISC */
/*
 * Bytes of a message: for each field its number in the table (from 1; u16),
 * its length (u32), its bytes; integers are little endian. A list is the count
 * (u32) and then, for each record, its length (u32) and its fields. Numbers
 * stay what they are because rows are only ever added behind the last one.
 */
#include "libtask/ipc.h"

#include <stdlib.h>
#include <unistd.h>

#include "libutil/cursor.h"

#define DEPTH_MAX	4	/* lists in records of lists */

/* ipc_find - the message with that number */
const struct ipc_desc *
ipc_find(const struct ipc_table *table, uint16_t number)
{
	for (size_t i = 0; table->messages[i] != NULL; i++)
		if (table->messages[i]->number == number)
			return table->messages[i];
	return NULL;
}

static const void *
field_of(const void *msg, const struct ipc_field *f)
{
	return (const char *)msg + f->offset;
}

/* patch_le32 - set a length that was left open */
static void
patch_le32(struct buf *b, size_t at, size_t value)
{
	if (b->overflow)
		return;
	for (size_t i = 0; i < 4; i++)
		b->data[at + i] = (char)(value >> (8 * i));
}

struct encoder {
	struct buf	*out;
	int		*fds;
	size_t		*fd_count;
	int		 failure;
};

static void	encode_fields(struct encoder *e, const struct ipc_desc *d,
		    const void *msg);

static void
encode_list(struct encoder *e, const struct ipc_field *f,
    const struct ipc_list *l)
{
	const char	*record = l->v;
	size_t		 at;

	if (l->n > f->max)
		e->failure = -EMSGSIZE;
	buf_add_le32(e->out, (uint32_t)l->n);
	for (size_t i = 0; i < l->n && e->failure == 0; i++) {
		at = e->out->len;
		buf_add_le32(e->out, 0);
		encode_fields(e, f->record, record + i * f->record->size);
		patch_le32(e->out, at, e->out->len - at - 4);
	}
}

static void
encode_slice(struct encoder *e, const struct ipc_field *f, struct slice s)
{
	if (s.len > f->max)
		e->failure = -EMSGSIZE;
	else if (f->type == IPC_STR && slice_find(s, '\0') != SLICE_NONE)
		e->failure = -EINVAL;
	else
		buf_add(e->out, s);
}

static void
encode_fd(struct encoder *e, const struct ipc_field *f, int fd)
{
	if (fd < 0 && f->type == IPC_OPTFD) {
		buf_add_byte(e->out, 0);
		return;
	}
	if (fd < 0 || e->fds == NULL || *e->fd_count == IPC_FDS_MAX) {
		e->failure = -EINVAL;
		return;
	}
	e->fds[(*e->fd_count)++] = fd;
	buf_add_byte(e->out, 1);
}

static void
encode_value(struct encoder *e, const struct ipc_field *f, const void *p)
{
	switch (f->type) {
	case IPC_U32:
		buf_add_le32(e->out, *(const uint32_t *)p);
		break;
	case IPC_U64:
		buf_add_le64(e->out, *(const uint64_t *)p);
		break;
	case IPC_I64:
		buf_add_le64(e->out, (uint64_t)*(const int64_t *)p);
		break;
	case IPC_BOOL:
		buf_add_byte(e->out, *(const bool *)p);
		break;
	case IPC_STR:
	case IPC_BYTES:
		encode_slice(e, f, *(const struct slice *)p);
		break;
	case IPC_FD:
	case IPC_OPTFD:
		encode_fd(e, f, *(const int *)p);
		break;
	case IPC_LIST:
		encode_list(e, f, p);
		break;
	}
}

static void
encode_fields(struct encoder *e, const struct ipc_desc *d, const void *msg)
{
	for (uint16_t i = 0; d->fields[i].name != NULL && e->failure == 0; i++) {
		size_t at;

		buf_add_le16(e->out, (uint16_t)(i + 1));
		at = e->out->len;
		buf_add_le32(e->out, 0);
		encode_value(e, &d->fields[i], field_of(msg, &d->fields[i]));
		patch_le32(e->out, at, e->out->len - at - 4);
	}
}

/* ipc_encode - struct to bytes and descriptors */
int
ipc_encode(const struct ipc_desc *d, const void *msg, struct buf *out,
    int fds[IPC_FDS_MAX], size_t *fd_count)
{
	struct encoder e = { out, fds, fd_count, 0 };

	encode_fields(&e, d, msg);
	return e.failure < 0 ? e.failure : buf_check(out);
}

/* ipc_pack - struct to bytes, for storage */
int
ipc_pack(const struct ipc_desc *d, const void *msg, struct buf *out)
{
	struct encoder e = { out, NULL, NULL, 0 };

	encode_fields(&e, d, msg);
	return e.failure < 0 ? e.failure : buf_check(out);
}

struct decoder {
	int		*fds;
	size_t		 fd_count;
	size_t		 fd_next;
	struct arena	*arena;
	struct buf	*why;
};

/* refuse - say what is wrong with a field */
static int
refuse(struct decoder *x, const struct ipc_desc *d, const struct ipc_field *f,
    const char *what)
{
	if (x->why != NULL && x->why->len == 0)
		buf_addf(x->why, "%s%s%s: %s", d->name, f == NULL ? "" : ".",
		    f == NULL ? "" : f->name, what);
	return -EBADMSG;
}

static int	decode_fields(struct decoder *x, const struct ipc_desc *d,
		    struct slice in, void *msg, int depth);

static int
decode_list(struct decoder *x, const struct ipc_desc *d,
    const struct ipc_field *f, struct slice in, struct ipc_list *l, int depth)
{
	struct cursor	 c = cursor_over(in);
	struct slice	 one;
	uint32_t	 n, len;
	char		*v;
	int		 r;

	if (depth == DEPTH_MAX)
		return refuse(x, d, f, "nested too deeply");
	/* a record takes at least its length, so n is bounded by what came */
	if (cursor_le32(&c, &n) < 0 || n > f->max || n > cursor_left(&c) / 4)
		return refuse(x, d, f, "too many, or cut short");
	v = arena_array(x->arena, n, f->record->size);
	for (uint32_t i = 0; i < n; i++) {
		if (cursor_le32(&c, &len) < 0 || cursor_bytes(&c, len, &one) < 0)
			return refuse(x, d, f, "cut short");
		r = decode_fields(x, f->record, one, v + i * f->record->size,
		    depth + 1);
		if (r < 0)
			return r;
	}
	if (!cursor_at_end(&c))
		return refuse(x, d, f, "bytes behind the last record");
	l->v = v;
	l->n = n;
	return 0;
}

static int
decode_fd(struct decoder *x, const struct ipc_desc *d,
    const struct ipc_field *f, struct slice in, int *ret_fd)
{
	if (in.len != 1 || (in.data[0] != 0 && in.data[0] != 1) ||
	    d->number == 0)	/* a descriptor in a record of a list */
		return refuse(x, d, f, "malformed");
	if (in.data[0] == 0)
		return f->type == IPC_OPTFD ? 0 : refuse(x, d, f, "missing");
	if (x->fd_next == x->fd_count)
		return refuse(x, d, f, "came without its descriptor");
	*ret_fd = x->fds[x->fd_next];
	x->fds[x->fd_next++] = -1;
	return 0;
}

static int
decode_int(struct decoder *x, const struct ipc_desc *d,
    const struct ipc_field *f, struct slice in, void *p)
{
	struct cursor	c = cursor_over(in);
	uint32_t	v32;
	uint64_t	v64;

	if (f->type == IPC_U32) {
		if (in.len != 4 || cursor_le32(&c, &v32) < 0)
			return refuse(x, d, f, "malformed");
		if (f->max != 0 && v32 > f->max)
			return refuse(x, d, f, "out of range");
		*(uint32_t *)p = v32;
		return 0;
	}
	if (in.len != 8 || cursor_le64(&c, &v64) < 0)
		return refuse(x, d, f, "malformed");
	if (f->type == IPC_U64)
		*(uint64_t *)p = v64;
	else
		*(int64_t *)p = (int64_t)v64;
	return 0;
}

static int
decode_value(struct decoder *x, const struct ipc_desc *d,
    const struct ipc_field *f, struct slice in, void *p, int depth)
{
	switch (f->type) {
	case IPC_U32:
	case IPC_U64:
	case IPC_I64:
		return decode_int(x, d, f, in, p);
	case IPC_BOOL:
		if (in.len != 1 || (in.data[0] != 0 && in.data[0] != 1))
			return refuse(x, d, f, "malformed");
		*(bool *)p = in.data[0] != 0;
		return 0;
	case IPC_STR:
	case IPC_BYTES:
		if (in.len > f->max)
			return refuse(x, d, f, "too long");
		if (f->type == IPC_STR && slice_find(in, '\0') != SLICE_NONE)
			return refuse(x, d, f, "has a NUL in it");
		*(struct slice *)p = in;
		return 0;
	case IPC_FD:
	case IPC_OPTFD:
		return decode_fd(x, d, f, in, p);
	case IPC_LIST:
		return decode_list(x, d, f, in, p, depth);
	}
	return refuse(x, d, f, "of no known type");
}

/* no_fds - mark the descriptor fields as absent */
static void
no_fds(const struct ipc_desc *d, void *msg)
{
	for (const struct ipc_field *f = d->fields; f->name != NULL; f++)
		if (f->type == IPC_FD || f->type == IPC_OPTFD)
			*(int *)(void *)((char *)msg + f->offset) = -1;
}

/* decode_fields - all fields of one struct; they come in the table's order */
static int
decode_fields(struct decoder *x, const struct ipc_desc *d, struct slice in,
    void *msg, int depth)
{
	struct cursor	 c = cursor_over(in);
	uint16_t	 number = 0, next = 0, last = 0;
	int		 r;

	no_fds(d, msg);
	while (!cursor_at_end(&c)) {
		const struct ipc_field *f;
		struct slice value;
		uint32_t len;

		if (cursor_le16(&c, &number) < 0 || cursor_le32(&c, &len) < 0 ||
		    cursor_bytes(&c, len, &value) < 0)
			return refuse(x, d, NULL, "cut short");
		if (number <= last)
			return refuse(x, d, NULL, "fields out of order");
		last = number;
		f = &d->fields[next];
		if (f->name == NULL)
			continue;		/* of a newer sender */
		if (number != next + 1)
			return refuse(x, d, f, "missing");
		r = decode_value(x, d, f, value, (char *)msg + f->offset, depth);
		if (r < 0)
			return r;
		next++;
	}
	if (d->fields[next].name != NULL)
		return refuse(x, d, &d->fields[next], "missing");
	return 0;
}

/* ipc_close_fds - close what a message still holds */
void
ipc_close_fds(const struct ipc_desc *d, void *msg)
{
	for (const struct ipc_field *f = d->fields; f->name != NULL; f++)
		if (f->type == IPC_FD || f->type == IPC_OPTFD)
			fd_close((int *)(void *)((char *)msg + f->offset));
}

/* ipc_decode - bytes and descriptors to a struct */
int
ipc_decode(const struct ipc_desc *d, struct slice in, int *fds,
    size_t fd_count, struct arena *a, void **ret_msg, struct buf *why)
{
	struct decoder	 x = { fds, fd_count, 0, a, why };
	void		*msg = arena_alloc(a, d->size);
	int		 r;

	if ((r = decode_fields(&x, d, in, msg, 0)) < 0) {
		ipc_close_fds(d, msg);
		return r;
	}
	*ret_msg = msg;
	return 0;
}

/* ipc_unpack - the same from storage */
int
ipc_unpack(const struct ipc_desc *d, struct slice in, struct arena *a,
    void **ret_msg)
{
	return ipc_decode(d, in, NULL, 0, a, ret_msg, NULL);
}

static void
format_value(const struct ipc_field *f, const void *p, struct buf *out)
{
	const struct slice *s = p;

	switch (f->type) {
	case IPC_U32:
		buf_addf(out, "%u", *(const uint32_t *)p);
		break;
	case IPC_U64:
		buf_add_u64(out, *(const uint64_t *)p);
		break;
	case IPC_I64:
		buf_addf(out, "%lld", (long long)*(const int64_t *)p);
		break;
	case IPC_BOOL:
		buf_add_text(out, *(const bool *)p ? "yes" : "no");
		break;
	case IPC_STR:
		buf_addf(out, "\"%.*s\"%s", (int)size_min(s->len, 80),
		    s->len == 0 ? "" : s->data, s->len > 80 ? "..." : "");
		break;
	case IPC_BYTES:
		buf_addf(out, "<%zu bytes>", s->len);
		break;
	case IPC_FD:
	case IPC_OPTFD:
		buf_addf(out, "fd %d", *(const int *)p);
		break;
	case IPC_LIST:
		buf_addf(out, "<%zu>", ((const struct ipc_list *)p)->n);
		break;
	}
}

/* ipc_format - one line for a trace */
void
ipc_format(const struct ipc_desc *d, const void *msg, struct buf *out)
{
	buf_addf(out, "%s{", d->name);
	for (const struct ipc_field *f = d->fields; f->name != NULL; f++) {
		buf_addf(out, "%s%s=", f == d->fields ? "" : " ", f->name);
		format_value(f, field_of(msg, f), out);
	}
	buf_add_byte(out, '}');
}
