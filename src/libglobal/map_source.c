/* SPDX-License-Identifier: ISC */
/*
 * Reading whole makes the moment of the table clear: the file is compared
 * with itself (size, times) before and after, so a table is never half of an
 * edit that was going on.
 */
#include "libglobal/map_source.h"

#include <fcntl.h>
#include <unistd.h>

#include "libglobal/map.h"
#include "libglobal/map_impl.h"
#include "libutil/cursor.h"

#define READ_TRIES	10
#define READ_PAUSE_US	20000

/* map_source_read_fd - append all that a descriptor gives */
int
map_source_read_fd(struct map_source *s, int fd)
{
	size_t step = (size_t)64 << 10;
	ssize_t n;
	char *room;

	for (;;) {
		if ((room = buf_room(&s->text, step)) == NULL)
			return -EFBIG;
		if ((n = read(fd, room, step)) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			return 0;
		buf_grown(&s->text, (size_t)n);
	}
}

/* read_once - read the file; 1 if it changed meanwhile */
static int
read_once(struct map_source *s, const char *path, struct stat *ret_st)
{
	struct stat after;
	int fd, r;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return -errno;
	buf_reset(&s->text);
	if (fstat(fd, ret_st) < 0)
		r = -errno;
	else if (S_ISDIR(ret_st->st_mode))
		r = -EISDIR;
	else if ((r = map_source_read_fd(s, fd)) == 0)
		r = fstat(fd, &after) < 0 ? -errno :
		    after.st_size != ret_st->st_size ||
		    after.st_mtim.tv_sec != ret_st->st_mtim.tv_sec ||
		    after.st_mtim.tv_nsec != ret_st->st_mtim.tv_nsec;
	(void)close(fd);	/* was only read */
	return r;
}

/* map_source_read - read a file that may be in the middle of an edit */
int
map_source_read(struct map_source *s, const char *path, struct stat *ret_st,
    struct diag *d)
{
	int r = 0;

	for (int i = 0; i < READ_TRIES; i++) {
		if ((r = read_once(s, path, ret_st)) <= 0)
			break;
		(void)usleep(READ_PAUSE_US);	/* interrupted: just earlier */
	}
	if (r > 0)
		r = -EBUSY;
	if (r < 0)
		return map_file_error(d, "read", path, r);
	s->at = 0;
	s->line = 1;
	return 0;
}

/* map_source_free - release the text */
void
map_source_free(struct map_source *s)
{
	buf_free(&s->text);
	buf_free(&s->joined);
	s->at = 0;
}

/* next_line - the next physical line, without its end */
static bool
next_line(struct map_source *s, struct slice *ret_text)
{
	struct slice rest = slice_from(buf_slice(&s->text), s->at);
	size_t end = slice_find(rest, '\n');

	if (rest.len == 0)
		return false;
	*ret_text = slice_sub(rest, 0, end == SLICE_NONE ? rest.len : end);
	s->at += end == SLICE_NONE ? rest.len : end + 1;
	s->line++;
	return true;
}

/* is_nothing - an empty line or a comment */
static bool
is_nothing(struct slice line)
{
	struct slice s = slice_trim(line);

	return s.len == 0 || s.data[0] == '#';
}

/* has_more - does the next line that is something continue this one? Leaves
 * the source in front of it */
static bool
has_more(struct map_source *s)
{
	size_t at;
	uint32_t line;
	struct slice text;

	for (;;) {
		at = s->at;
		line = s->line;
		if (!next_line(s, &text))
			return false;
		if (is_nothing(text))
			continue;
		s->at = at;
		s->line = line;
		return ascii_is_blank(text.data[0]);
	}
}

/* trim_end - without blanks at the end */
static struct slice
trim_end(struct slice s)
{
	while (s.len > 0 && (ascii_is_blank(s.data[s.len - 1]) ||
	    s.data[s.len - 1] == '\r'))
		s.len--;
	return s;
}

/* map_source_next - the next logical line */
bool
map_source_next(struct map_source *s, struct slice *ret_text,
    uint32_t *ret_line)
{
	struct slice text, more;

	do {
		*ret_line = s->line;
		if (!next_line(s, &text))
			return false;
	} while (is_nothing(text));
	if (has_more(s)) {
		buf_reset(&s->joined);
		buf_add(&s->joined, text);
		do {
			if (!next_line(s, &more))
				break;
			buf_add(&s->joined, more);
		} while (has_more(s));
		text = buf_slice(&s->joined);
	}
	*ret_text = trim_end(text);
	return true;
}

/* map_source_split - cut a line into key and value */
int
map_source_split(struct slice text, struct slice *ret_key,
    struct slice *ret_value, const char **ret_why)
{
	bool quoted = false;
	size_t i;

	text = slice_trim(text);
	for (i = 0; i < text.len; i++) {
		if (text.data[i] == '\\' && i + 1 < text.len)
			i++;
		else if (text.data[i] == '"')
			quoted = !quoted;
		else if (ascii_is_blank(text.data[i]) && !quoted)
			break;
	}
	if (quoted) {
		*ret_why = "the key has a \" without a second one";
		return -EBADMSG;
	}
	*ret_key = slice_sub(text, 0, i);
	*ret_value = slice_trim(slice_from(text, i));
	if (ret_value->len == 0) {
		*ret_why = "expected \"key value\", with blanks between them";
		return -EBADMSG;
	}
	return 0;
}

/* map_source_split_alias - cut a line of an aliases file */
int
map_source_split_alias(struct slice text, struct buf *key_space,
    struct slice *ret_key, struct slice *ret_value, const char **ret_why)
{
	struct cursor c = cursor_over(slice_trim(text));
	bool quoted = false;
	int b;

	buf_reset(key_space);
	*ret_why = "expected \"name: value\"";
	while ((b = cursor_peek(&c)) >= 0 && (quoted || b != ':')) {
		(void)cursor_byte(&c);
		if (b == '"') {
			quoted = !quoted;
			continue;
		}
		if (b == '\\' && cursor_peek(&c) >= 0)
			b = cursor_byte(&c);
		else if (!quoted && ascii_is_blank((char)b)) {
			(void)cursor_skip_blanks(&c);
			break;
		}
		buf_add_byte(key_space, (char)b);
	}
	if (quoted)
		*ret_why = "the name has a \" without a second one";
	if (quoted || !cursor_skip_byte(&c, ':') || key_space->len == 0)
		return -EBADMSG;
	*ret_value = slice_trim(cursor_rest(&c));
	if (ret_value->len == 0) {
		*ret_why = "the name has no value";
		return -EBADMSG;
	}
	*ret_key = buf_slice(key_space);
	return 0;
}
