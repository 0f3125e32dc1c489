/* SPDX-License-Identifier: ISC */
/*
 * All integers are little endian. The header's own checksum is its last four
 * bytes and covers what is before it; the reserved bytes are zero and must be,
 * so that a later version can give them a meaning.
 */
#include "libglobal/qformat.h"

#include "libutil/buf.h"
#include "libutil/crc32c.h"
#include "libutil/cursor.h"

#define MAGIC		S("BARIDSLT")
#define ID_ROOM		32
#define CRC_AT		(QFORMAT_HEAD_SIZE - 4)

_Static_assert(QUEUE_ID_MAX < ID_ROOM, "an id fits into the header");

static const struct {
	const char	*folder;
	size_t		 size;
} classes[SLOT_CLASSES] = {
#define SLOT_CLASS(name, folder, bytes) { folder, (size_t)(bytes) },
#include "libglobal/slot_classes.def"
};

/* slot_class_size - bytes of a slot; 0 for a class that does not exist */
size_t
slot_class_size(uint8_t class)
{
	return class < SLOT_CLASSES ? classes[class].size : 0;
}

/* slot_class_name - the folder that holds the slots of a class */
const char *
slot_class_name(uint8_t class)
{
	return class < SLOT_CLASSES ? classes[class].folder : "?";
}

/* slot_class_for - the smallest class with room for a message */
int
slot_class_for(size_t envelope_len, uint64_t content_len, uint8_t *ret_class)
{
	uint64_t	room;

	for (uint8_t i = 0; i < SLOT_CLASSES; i++) {
		room = classes[i].size - QFORMAT_HEAD_SIZE;
		if (envelope_len <= room && content_len <= room - envelope_len) {
			*ret_class = i;
			return 0;
		}
	}
	return -EMSGSIZE;
}

/* qformat_crc - the checksum that the queue uses everywhere */
uint32_t
qformat_crc(uint32_t crc, struct slice s)
{
	return crc32c_add(crc, s);
}

/* qformat_head_encode - a header block */
void
qformat_head_encode(char out[QFORMAT_HEAD_SIZE], const struct queue_head *head)
{
	static const char zeros[QFORMAT_HEAD_SIZE];
	struct buf	  b = BUF_INIT_MAX(QFORMAT_HEAD_SIZE);

	buf_add(&b, MAGIC);
	buf_add_le16(&b, QFORMAT_VERSION);
	buf_add_le16(&b, QFORMAT_HEAD_SIZE);
	buf_add_byte(&b, (char)head->place.kind);
	buf_add_byte(&b, (char)head->place.slot.class);
	buf_add_le16(&b, 0);
	buf_add_le32(&b, head->place.slot.number);
	buf_add_le32(&b, head->envelope_len);
	buf_add_le64(&b, head->content_len);
	buf_add_le64(&b, (uint64_t)head->arrival);
	buf_add_le64(&b, head->generation);
	buf_add(&b, slice_over(head->id.text, sizeof(head->id.text)));
	buf_add(&b, slice_over(zeros, ID_ROOM - sizeof(head->id.text)));
	buf_add_le32(&b, head->envelope_crc);
	buf_add_le32(&b, head->content_crc);
	buf_add(&b, slice_over(zeros, CRC_AT - b.len));
	buf_add_le32(&b, qformat_crc(0, buf_slice(&b)));
	memcpy(out, b.data, QFORMAT_HEAD_SIZE);
	buf_free(&b);
}

/* is_zero - are all bytes zero? */
static bool
is_zero(struct slice s)
{
	return s.len == 0 ||
	    (s.data[0] == 0 && memcmp(s.data, s.data + 1, s.len - 1) == 0);
}

/* id_decode - a name padded with NUL to the end of its room */
static int
id_decode(struct slice in, struct queue_id *ret_id)
{
	size_t	len = size_min(slice_find(in, '\0'), in.len);

	if (!is_zero(slice_from(in, len)))
		return -EBADMSG;
	return queue_id_parse(slice_sub(in, 0, len), ret_id);
}

/* place_is_valid - a place as this version writes it */
static bool
place_is_valid(const struct queue_place *p)
{
	switch (p->kind) {
	case QUEUE_PLACE_SLOT:
		return p->slot.class < SLOT_CLASSES &&
		    p->slot.number <= SLOT_NUMBER_MAX;
	case QUEUE_PLACE_LARGE:
		return p->slot.class == 0 && p->slot.number == 0;
	}
	return false;
}

/* fields_decode - what stands behind magic, version and length */
static int
fields_decode(struct cursor *c, struct queue_head *h)
{
	struct slice	id;
	uint64_t	arrival;
	uint16_t	unused;
	int		kind = cursor_byte(c), class = cursor_byte(c);

	h->place.kind = (uint8_t)kind;
	h->place.slot.class = (uint8_t)class;
	if (cursor_le16(c, &unused) < 0 || unused != 0 ||
	    cursor_le32(c, &h->place.slot.number) < 0 ||
	    cursor_le32(c, &h->envelope_len) < 0 ||
	    cursor_le64(c, &h->content_len) < 0 ||
	    cursor_le64(c, &arrival) < 0 ||
	    cursor_le64(c, &h->generation) < 0 ||
	    cursor_bytes(c, ID_ROOM, &id) < 0 || id_decode(id, &h->id) < 0 ||
	    cursor_le32(c, &h->envelope_crc) < 0 ||
	    cursor_le32(c, &h->content_crc) < 0)
		return -EBADMSG;
	h->arrival = (int64_t)arrival;
	if (!is_zero(cursor_rest(c)) || !place_is_valid(&h->place) ||
	    h->envelope_len > QFORMAT_ENVELOPE_MAX ||
	    h->content_len > INT64_MAX / 2)
		return -EBADMSG;
	return 0;
}

/* qformat_head_decode - a header block, whole or not at all */
int
qformat_head_decode(struct slice in, struct queue_head *ret_head)
{
	struct queue_head h;
	struct cursor	  c = cursor_over(slice_sub(in, 0, CRC_AT));
	struct cursor	  tail = cursor_over(slice_from(in, CRC_AT));
	uint16_t	  version, len;
	uint32_t	  crc;
	int		  r;

	if (in.len != QFORMAT_HEAD_SIZE)
		return -EBADMSG;
	if (is_zero(in))
		return -ENODATA;
	if (cursor_le32(&tail, &crc) < 0 ||
	    crc != qformat_crc(0, slice_sub(in, 0, CRC_AT)) ||
	    !cursor_skip(&c, MAGIC) || cursor_le16(&c, &version) < 0 ||
	    cursor_le16(&c, &len) < 0)
		return -EBADMSG;
	if (version != QFORMAT_VERSION)
		return -EPROTONOSUPPORT;
	if (len != QFORMAT_HEAD_SIZE)
		return -EBADMSG;
	if ((r = fields_decode(&c, &h)) < 0)
		return r;
	*ret_head = h;
	return 0;
}

/* qformat_check_envelope - compare an envelope block with its header */
int
qformat_check_envelope(const struct queue_head *head, struct slice envelope)
{
	if (envelope.len != head->envelope_len ||
	    qformat_crc(0, envelope) != head->envelope_crc)
		return -EBADMSG;
	return 0;
}
