/* SPDX-License-Identifier: ISC */
/*
 * magic, count, then for each entry the lengths of name, value and file, the
 * line, and the three texts; at the end the checksum of all before. Numbers
 * are 32 bits, little endian. Layers are merged from the bottom up, each name
 * where it was first defined, so that a list keeps its order.
 */
#include <stdlib.h>

#include "libutil/alloc.h"
#include "libutil/buf.h"
#include "libutil/conf.h"
#include "libutil/crc32c.h"
#include "libutil/cursor.h"

#define MAGIC		0x31434642u	/* "BFC1" */
#define LAYERS_MAX	16
#define SNAPSHOT_MAX	((size_t)16 << 20)

/* put_entry - one definition */
static void
put_entry(struct buf *out, const struct conf_entry *e)
{
	buf_add_le32(out, (uint32_t)e->name.len);
	buf_add_le32(out, (uint32_t)e->value.len);
	buf_add_le32(out, (uint32_t)e->file.len);
	buf_add_le32(out, e->line);
	buf_add(out, e->name);
	buf_add(out, e->value);
	buf_add(out, e->file);
}

/* is_new - is the name in none of the layers before (below)? */
static bool
is_new(const struct conf *const *layers, size_t count, struct slice name)
{
	for (size_t i = 0; i < count; i++)
		if (conf_find_here(layers[i], name) != NULL)
			return false;
	return true;
}

/* conf_snapshot - what counts, as bytes */
void
conf_snapshot(const struct conf *top, struct buf *out)
{
	const struct conf	*layers[LAYERS_MAX], *c;
	const struct conf_entry	*e;
	struct buf		 body = BUF_INIT;
	size_t			 depth = 0;
	uint32_t		 count = 0;

	for (c = top; c != NULL; c = conf_under(c))
		depth++;
	if (depth > LAYERS_MAX)
		fatal("%zu layers of configuration", depth);
	c = top;
	for (size_t i = depth; i-- > 0; c = conf_under(c))
		layers[i] = c;
	for (size_t i = 0; i < depth; i++)
		for (size_t at = 0; (e = conf_each(layers[i], &at)) != NULL;)
			if (is_new(layers, i, e->name)) {
				put_entry(&body, conf_find(top, e->name));
				count++;
			}
	buf_add_le32(out, MAGIC);
	buf_add_le32(out, count);
	buf_add_le32(out, (uint32_t)body.len);
	buf_add(out, buf_slice(&body));
	buf_add_le32(out, crc32c_add(count, buf_slice(&body)));
	buf_free(&body);
}

/* take_entry - one definition into the layer */
static int
take_entry(struct cursor *c, struct conf *conf)
{
	uint32_t	name_len, value_len, file_len, line;
	struct slice	name, value, file;
	char		*file_text;
	int		r;

	if ((r = cursor_le32(c, &name_len)) < 0 ||
	    (r = cursor_le32(c, &value_len)) < 0 ||
	    (r = cursor_le32(c, &file_len)) < 0 ||
	    (r = cursor_le32(c, &line)) < 0 ||
	    (r = cursor_bytes(c, name_len, &name)) < 0 ||
	    (r = cursor_bytes(c, value_len, &value)) < 0 ||
	    (r = cursor_bytes(c, file_len, &file)) < 0)
		return r;
	if (!conf_is_name(name) || conf_find_here(conf, name) != NULL)
		return -EBADMSG;
	file_text = slice_dup(file);
	conf_put(conf, name, value, file_text, line);
	free(file_text);
	return 0;
}

/* conf_restore - bytes as a layer */
int
conf_restore(struct slice bytes, struct conf **ret_conf)
{
	struct cursor	c = cursor_over(bytes);
	struct conf	*conf = NULL;
	struct slice	body;
	uint32_t	magic, count, len, sum;
	int		r;

	if (bytes.len > SNAPSHOT_MAX)
		return -EMSGSIZE;
	if ((r = cursor_le32(&c, &magic)) < 0 ||
	    (r = cursor_le32(&c, &count)) < 0 ||
	    (r = cursor_le32(&c, &len)) < 0 ||
	    (r = cursor_bytes(&c, len, &body)) < 0 ||
	    (r = cursor_le32(&c, &sum)) < 0)
		return r;
	if (magic != MAGIC || !cursor_at_end(&c) ||
	    sum != crc32c_add(count, body))
		return -EBADMSG;

	conf = conf_new(NULL);
	c = cursor_over(body);
	for (uint32_t i = 0; i < count && r == 0; i++)
		r = take_entry(&c, conf);
	if (r == 0 && !cursor_at_end(&c))
		r = -EBADMSG;
	if (r == 0) {
		*ret_conf = conf;
		conf = NULL;
	}
	conf_free(&conf);
	return r;
}
