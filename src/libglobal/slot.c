/* SPDX-License-Identifier: ISC */
/*
 * A commit is one pwritev of header, envelope and content over whatever the
 * slot held, and one fdatasync, which writes data only: size and blocks were
 * made final when the slot was made. The order in which parts reach the disk
 * does not matter, because each is proved by a checksum in the header, and the
 * header by its own: an old header over new content still names a message that
 * the state knows as finished, so the slot is free; a new header over old
 * content fails the content's checksum.
 *
 * A lease may be given to another while its holder hangs, anywhere before the
 * write, so no question to qmgr could tell it in time: the file itself says
 * whose it is. Under the lock the holder looks at the header. A whole message
 * of its generation means that the other one was faster; one that is not whole
 * was left by a writer that died, for it would hold the lock.
 */
#include "libglobal/slot.h"

#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/slot_io.h"
#include "libutil/alloc.h"

#define PATH_ROOM	32

/* slot_path - where a slot lies below the queue folder */
static int
slot_path(char out[PATH_ROOM], struct slot_ref ref)
{
	if (ref.class >= SLOT_CLASSES || ref.number > SLOT_NUMBER_MAX)
		return -EINVAL;
	(void)snprintf(out, PATH_ROOM, "slot/%s/%08u",
	    slot_class_name(ref.class), ref.number);
	return 0;
}

/* slot_open - open a slot with those flags */
static int
slot_open(int queue_fd, struct slot_ref ref, int flags, int *ret_fd)
{
	char	path[PATH_ROOM];
	int	r;

	if ((r = slot_path(path, ref)) < 0)
		return r;
	return slot_io_open(queue_fd, path, flags, ret_fd);
}

/* slot_open_read - open a slot to read it */
int
slot_open_read(int queue_fd, struct slot_ref ref, int *ret_fd)
{
	return slot_open(queue_fd, ref, O_RDONLY, ret_fd);
}

/* slot_open_write - open a slot to commit into it */
int
slot_open_write(int queue_fd, struct slot_ref ref, int *ret_fd)
{
	return slot_open(queue_fd, ref, O_RDWR, ret_fd);
}

/* is_there - nobody has removed it */
static bool
is_there(int fd)
{
	struct stat	st;

	return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

/* a piece in memory: its bytes, or a mapping of its file */
struct mapped {
	struct slice	 bytes;
	void		*map;		/* NULL: none */
	size_t		 map_len;
};

/* piece_len - bytes of a piece */
static uint64_t
piece_len(const struct slot_piece *p)
{
	return p->fd < 0 ? p->bytes.len : p->len;
}

/* piece_map - see a piece as bytes */
static int
piece_map(const struct slot_piece *p, struct mapped *ret_mapped)
{
	uint64_t	page = (uint64_t)sysconf(_SC_PAGESIZE);
	size_t		skip = (size_t)(p->offset % page);
	struct stat	st;
	size_t		len;
	void		*map;

	if (p->fd < 0 || p->len == 0) {
		*ret_mapped = (struct mapped){
		    p->fd < 0 ? p->bytes : SLICE_EMPTY, NULL, 0 };
		return 0;
	}
	/* a mapping of what is not there would fault, not fail */
	if (fstat(p->fd, &st) < 0)
		return -errno;
	if (p->offset > (uint64_t)st.st_size ||
	    p->len > (uint64_t)st.st_size - p->offset)
		return -ERANGE;
	len = (size_t)p->len + skip;
	map = mmap(NULL, len, PROT_READ, MAP_SHARED, p->fd,
	    (off_t)(p->offset - skip));
	if (map == MAP_FAILED)
		return -errno;
	*ret_mapped = (struct mapped){
	    slice_over((char *)map + skip, (size_t)p->len), map, len };
	return 0;
}

/* content_len - bytes of all pieces; -EMSGSIZE if they can fit into no slot */
static int
content_len(const struct slot_message *m, uint64_t *ret_len)
{
	uint64_t	len = 0;

	if (m->piece_count > SLOT_PIECES_MAX)
		return -EMSGSIZE;
	for (size_t i = 0; i < m->piece_count; i++) {
		if (piece_len(&m->piece[i]) > slot_class_size(SLOT_BIG))
			return -EMSGSIZE;
		len += piece_len(&m->piece[i]);
	}
	*ret_len = len;
	return 0;
}

/* what one commit needs; too big for the stack */
struct commit {
	struct queue_head	head;
	char			block[QFORMAT_HEAD_SIZE];
	struct mapped		mapped[SLOT_PIECES_MAX];
	size_t			count;			/* of mapped */
	struct iovec		iov[SLOT_PIECES_MAX + 2];
};

/* iov_over - bytes to be written; the kernel does not change them */
static struct iovec
iov_over(struct slice s)
{
	return (struct iovec){ (char *)(uintptr_t)s.data, s.len };
}

/* write_flushed - header, envelope and mapped pieces, durable */
static int
write_flushed(int fd, struct commit *c, struct slice envelope)
{
	int	r;

	for (size_t i = 0; i < c->count; i++) {
		c->head.content_crc = qformat_crc(c->head.content_crc,
		    c->mapped[i].bytes);
		c->iov[i + 2] = iov_over(c->mapped[i].bytes);
	}
	qformat_head_encode(c->block, &c->head);
	c->iov[0] = iov_over(slice_over(c->block, sizeof(c->block)));
	c->iov[1] = iov_over(envelope);
	if ((r = slot_io_pwritev(fd, c->iov, c->count + 2, 0)) < 0)
		return r;
	return fdatasync(fd) < 0 ? -errno : 0;
}

/* is_whole - does the slot hold all that its header says? */
static bool
is_whole(int fd, const struct queue_head *head)
{
	struct buf	envelope = BUF_INIT_MAX(QFORMAT_ENVELOPE_MAX);
	int		r;

	if ((r = slot_read_envelope(fd, head, &envelope)) == 0)
		r = slot_check_content(fd, head);
	buf_free(&envelope);
	return r == 0;
}

/* claim - lock it, unless it is another's */
static int
claim(int fd, struct slot_ref ref, uint64_t generation)
{
	struct queue_head	head;
	int			r = -ESTALE;

	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -ESTALE : -errno;
	if (!is_there(fd))
		r = -ENOENT;
	else if (slot_read_head(fd, ref, &head) < 0 ||
	    head.generation < generation || !is_whole(fd, &head))
		return 0;
	(void)flock(fd, LOCK_UN);	/* it was locked */
	return r;
}

/* slot_lock_read - keep writers away */
int
slot_lock_read(int fd)
{
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return 0;
}

/* slot_commit - put a message into a slot; 0 only if it survives a power cut */
int
slot_commit(int fd, struct slot_ref ref, const struct slot_message *m)
{
	size_t		room = slot_class_size(ref.class);
	uint64_t	len;
	struct commit	*c;
	int		r;

	if ((r = content_len(m, &len)) < 0)
		return r;
	if (room < QFORMAT_HEAD_SIZE ||
	    m->envelope.len > room - QFORMAT_HEAD_SIZE ||
	    len > room - QFORMAT_HEAD_SIZE - m->envelope.len)
		return -EMSGSIZE;
	c = NEW(struct commit);
	c->head = (struct queue_head){ .id = m->id,
	    .place = QUEUE_PLACE_IN_SLOT(ref), .arrival = m->arrival,
	    .generation = m->generation, .content_len = len,
	    .envelope_len = (uint32_t)m->envelope.len,
	    .envelope_crc = qformat_crc(0, m->envelope) };
	for (; c->count < m->piece_count; c->count++) {
		r = piece_map(&m->piece[c->count], &c->mapped[c->count]);
		if (r < 0)
			goto out;
	}
	if ((r = claim(fd, ref, m->generation)) < 0)
		goto out;
	r = write_flushed(fd, c, m->envelope);
	(void)flock(fd, LOCK_UN);	/* it was locked */
out:
	for (size_t i = 0; i < c->count; i++)
		if (c->mapped[i].map != NULL)
			(void)munmap(c->mapped[i].map, c->mapped[i].map_len);
	free(c);
	return r;
}

/* slot_read_head - the header, proved to be this slot's */
int
slot_read_head(int fd, struct slot_ref ref, struct queue_head *ret_head)
{
	char		  block[QFORMAT_HEAD_SIZE];
	struct queue_head head;
	size_t		  room = slot_class_size(ref.class);
	int		  r;

	if ((r = slot_io_pread(fd, block, sizeof(block), 0)) < 0)
		return r;
	r = qformat_head_decode(slice_over(block, sizeof(block)), &head);
	if (r < 0)
		return r;
	if (!queue_place_equal(head.place, QUEUE_PLACE_IN_SLOT(ref)) ||
	    head.envelope_len > room - QFORMAT_HEAD_SIZE ||
	    head.content_len > room - QFORMAT_HEAD_SIZE - head.envelope_len)
		return -EBADMSG;
	*ret_head = head;
	return 0;
}

/* slot_read_envelope - the envelope block, verified */
int
slot_read_envelope(int fd, const struct queue_head *head,
    struct buf *ret_envelope)
{
	char	*room;
	int	 r;

	buf_reset(ret_envelope);
	if (head->envelope_len == 0)
		return qformat_check_envelope(head, SLICE_EMPTY);
	if ((room = buf_room(ret_envelope, head->envelope_len)) == NULL)
		return -EMSGSIZE;
	r = slot_io_pread(fd, room, head->envelope_len, QFORMAT_HEAD_SIZE);
	if (r < 0)
		return r;
	r = qformat_check_envelope(head, slice_over(room, head->envelope_len));
	if (r == 0)
		buf_grown(ret_envelope, head->envelope_len);
	return r;
}

/* content_sum - verify the content, perhaps copying it */
static int
content_sum(int fd, const struct queue_head *head, int to_fd)
{
	uint32_t	crc;
	int		r;

	r = slot_io_sum(fd, QFORMAT_HEAD_SIZE + head->envelope_len,
	    head->content_len, to_fd, &crc);
	if (r == 0 && crc != head->content_crc)
		r = -EBADMSG;
	return r;
}

/* slot_check_content - verify the content */
int
slot_check_content(int fd, const struct queue_head *head)
{
	return content_sum(fd, head, -1);
}

/* slot_copy_content - the content into another file, verified */
int
slot_copy_content(int fd, const struct queue_head *head, int to_fd)
{
	return content_sum(fd, head, to_fd);
}

/* slot_flush - make durable what another process wrote */
int
slot_flush(int fd)
{
	return fdatasync(fd) < 0 ? -errno : 0;
}
