/* SPDX-License-Identifier: ISC */
/* Bodies: references counted against emails, chunks, packs and big files. */
#include "libstore/verify_impl.h"

#include "libstore/bodies.h"
#include "libstore/packs.h"

#define LL(x)	((unsigned long long)(x))

static int
u64_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* references_of - how many emails name a body; v->body is sorted */
static uint32_t
references_of(const struct verify *v, uint64_t id)
{
	size_t low = 0, high = v->body_count;
	uint32_t n = 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (v->body[mid] < id)
			low = mid + 1;
		else
			high = mid;
	}
	while (low + n < v->body_count && v->body[low + n] == id)
		n++;
	return n;
}

/* chunks_check - all there, and their lengths add up */
static int
chunks_check(struct verify *v, uint64_t id, const struct body_record *rec)
{
	struct slice value;
	uint64_t sum = 0;
	uint32_t number = 0;
	size_t	count;
	struct key k;
	int	r;

	v->unpacked += rec->size;
	while (sum < rec->size) {
		key_chunk(&k, id, number);
		if (txn_get(v->t, &k, &value) < 0 || value.len == 0)
			break;
		sum += value.len;
		number++;
	}
	key_fresh(&k, id, FRESH_CHUNK);
	if ((r = verify_count(v, &k, &count)) < 0)
		return r;
	if (sum != rec->size || count != number)
		verify_find(v, "body %llu has %llu of %llu bytes, in %zu "
		    "chunks", LL(id), LL(sum), LL(rec->size), count);
	return 0;
}

/* place_check - is its location possible? */
static int
place_check(struct verify *v, uint64_t id, const struct body_record *rec)
{
	struct pack_record pack;
	struct slice value;
	struct key k;
	int	r;

	switch (rec->location) {
	case BODY_IN_CHUNKS:
		return chunks_check(v, id, rec);
	case BODY_IN_PACK:
		r = packs_get(v->t, rec->pack, &pack);
		if (r < 0 || rec->offset > pack.end ||
		    rec->stored > pack.end - rec->offset)
			verify_find(v, "body %llu is said to be in pack %u, "
			    "which does not reach that far", LL(id),
			    rec->pack);
		return 0;
	case BODY_IS_BIG:
		key_begin(&k, KEY_BIG);
		r = key_add_bytes(&k, slice_over(rec->hash.bytes,
		    BODY_HASH_LEN));
		if (r < 0 || txn_get(v->t, &k, &value) < 0)
			verify_find(v, "body %llu is a big file that is not "
			    "counted", LL(id));
		return 0;
	default:
		verify_find(v, "body %llu has no known location", LL(id));
		return 0;
	}
}

/* record_check - one body record */
static int
record_check(struct verify *v, uint64_t id, struct slice value, bool fresh)
{
	struct body_record rec;
	uint32_t references;

	if (body_record_decode(value, &rec) < 0)
		return 0;
	v->result.bodies++;
	references = references_of(v, id);
	if (references != rec.references)
		verify_find(v, "body %llu counts %u emails, it is named by %u",
		    LL(id), rec.references, references);
	if (fresh != (rec.location == BODY_IN_CHUNKS))
		verify_find(v, "the record of body %llu stands where it should "
		    "not", LL(id));
	return place_check(v, id, &rec);
}

/* body_check - one that is in its place */
static int
body_check(struct verify *v, struct slice key, struct slice value)
{
	uint64_t id;

	if (key_parse_u64(key, KEY_BODY, &id) < 0)
		return 0;
	return record_check(v, id, value, false);
}

/* fresh_check - a record of an email that is not packed */
static int
fresh_check(struct verify *v, struct slice key, struct slice value)
{
	struct email_record email;
	struct body_record rec;
	enum fresh_kind kind;
	uint32_t number;
	uint64_t id;

	if (key_parse_fresh(key, &id, &kind, &number) < 0) {
		verify_find(v, "a record of an unpacked email has a malformed "
		    "key");
		return 0;
	}
	if (kind == FRESH_BODY)
		return record_check(v, id, value, true);
	if (kind == FRESH_CACHE && (value.len < 4 ||
	    verify_email(v, id, &email) < 0))
		verify_find(v, "a cache entry names email %llu, which is not "
		    "there", LL(id));
	if (kind == FRESH_CHUNK && number == 0 &&
	    (bodies_get(v->t, id, &rec) < 0 ||
	    rec.location != BODY_IN_CHUNKS))
		verify_find(v, "there are chunks of body %llu, which is not in "
		    "chunks", LL(id));
	return 0;
}

/* bytes of records in a pack that bodies name; one walk a pack would be too
 * many, so all are summed in one */
struct pack_sum {
	uint32_t	 pack;
	uint64_t	 live;
	struct pack_sum	*next;
};

/* sum_find - the sum of a pack, made if it is new */
static struct pack_sum *
sum_find(struct verify *v, struct pack_sum **list, uint32_t pack)
{
	struct pack_sum *s = *list;

	while (s != NULL && s->pack != pack)
		s = s->next;
	if (s == NULL) {
		s = ARENA_NEW(&v->t->arena, struct pack_sum);
		s->pack = pack;
		s->next = *list;
		*list = s;
	}
	return s;
}

/* packs_check - live bytes of each pack, and does its file reach its end? */
static int
packs_check(struct verify *v)
{
	struct backend *b = v->account->backend;
	struct backend_range *range;
	struct pack_sum *list = NULL;
	struct slice key, value;
	struct body_record body;
	struct pack_record rec;
	uint64_t size;
	uint32_t pack;
	struct key k;
	int	r;

	key_1(&k, KEY_BODY);
	if ((r = txn_range(v->t, &k, NULL, &range)) < 0)
		return r;
	while ((r = backend_next(range, &key, &value)) != 0) {
		if (r < 0 && r != -EBADMSG)
			break;
		if (r == 1 && body_record_decode(value, &body) == 0 &&
		    body.location == BODY_IN_PACK)
			sum_find(v, &list, body.pack)->live += body.stored;
	}
	backend_range_end(&range);
	key_1(&k, KEY_PACK);
	if (r < 0 || (r = txn_range(v->t, &k, NULL, &range)) < 0)
		return r;
	while ((r = backend_next(range, &key, &value)) != 0) {
		if (r < 0 && r != -EBADMSG)
			break;
		if (r < 0 || key_parse_u32(key, KEY_PACK, &pack) < 0 ||
		    pack_record_decode(value, &rec) < 0)
			continue;
		if (b->ops->pack_size(b, pack, &size) < 0 || size < rec.end)
			verify_find(v, "pack %u is shorter than the %llu bytes "
			    "that were committed", pack, LL(rec.end));
		if (sum_find(v, &list, pack)->live != rec.live)
			verify_find(v, "pack %u counts %llu live bytes, there "
			    "are %llu", pack, LL(rec.live),
			    LL(sum_find(v, &list, pack)->live));
	}
	backend_range_end(&range);
	return r;
}

/* verify_bodies - all that holds content */
int
verify_bodies(struct verify *v)
{
	struct key k;
	int	r;

	if (v->body_count > 0)
		qsort(v->body, v->body_count, sizeof(v->body[0]),
		    u64_compare);
	for (size_t i = 0; i < v->body_count; i++) {
		struct body_record rec;

		if ((i == 0 || v->body[i] != v->body[i - 1]) &&
		    bodies_get(v->t, v->body[i], &rec) < 0)
			verify_find(v, "body %llu is named by an email and not "
			    "there", LL(v->body[i]));
	}
	key_1(&k, KEY_BODY);
	if ((r = verify_each(v, &k, body_check)) < 0)
		return r;
	key_1(&k, KEY_FRESH);
	if ((r = verify_each(v, &k, fresh_check)) < 0)
		return r;
	return packs_check(v);
}
