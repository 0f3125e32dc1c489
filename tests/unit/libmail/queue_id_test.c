/* SPDX-License-Identifier: ISC */
#include "libmail/queue_id.h"
#include "test.h"

TEST(queue_id_make)
{
	struct queue_id_source s = QUEUE_ID_SOURCE(4194303);
	struct queue_id a = queue_id_make(&s, 1767225600, 999999), b, c;
	uint64_t seconds;
	uint32_t micro;

	CHECK_INT(queue_id_text(&a).len, 18, 0);
	CHECK_INT(a.text[10], 'z', 0);
	queue_id_time(&a, &seconds, &micro);
	CHECK_INT(seconds, 1767225600, 0);
	CHECK_INT(micro, 999999, 0);

	/* the clock stands, and is set back: still later ids */
	b = queue_id_make(&s, 1767225600, 999999);
	c = queue_id_make(&s, 1, 0);
	CHECK(memcmp(a.text, b.text, sizeof(a.text)) < 0, 1);
	CHECK(memcmp(b.text, c.text, sizeof(a.text)) < 0, 2);
	queue_id_time(&c, &seconds, &micro);
	CHECK_INT(seconds, 1767225601, 2);
	CHECK_INT(micro, 1, 2);

	/* two processes in the same microsecond */
	s = (struct queue_id_source)QUEUE_ID_SOURCE(1);
	a = queue_id_make(&s, 1767225600, 1);
	s = (struct queue_id_source)QUEUE_ID_SOURCE(UINT32_MAX);
	b = queue_id_make(&s, 1767225600, 1);
	CHECK(!queue_id_equal(&a, &b), 3);
	CHECK(queue_id_text(&b).len <= QUEUE_ID_MAX, 3);
}

TEST(queue_id_parse)
{
	static const struct { const char *in; int want; } cases[] = {
		{ "4cB1yN0abcz0", -EBADMSG },		/* vowel */
		{ "4cB1yN0bbcz0", 0 },
		{ "4cB1yN0bbcz0123BCDF", 0 },
		{ "4cB1yN0bbcz012345678", 0 },
		{ "4cB1yN0bbcz0123456789", -EBADMSG },	/* too long */
		{ "4cB1yN0bbcz0z", -EBADMSG },		/* z is no base-51 digit */
		{ "4cB1yN0bbcz", -EBADMSG },
		{ "4cB1yN0bbc0", -EBADMSG },
		{ "4cB1yNzzzzz0", -EBADMSG },		/* over a second */
		{ "", -EBADMSG },
		{ "3F2A1B0C4D", -EBADMSG },
		{ "4cB1yN0bbcz/../", -EBADMSG },
	};
	struct queue_id_source s = QUEUE_ID_SOURCE(77);

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct queue_id id = QUEUE_ID_INIT;

		if (CHECK_INT(queue_id_parse(slice_of(cases[i].in), &id),
		    cases[i].want, i) == 0)
			CHECK_TEXT(queue_id_text(&id), cases[i].in, i);
		else
			CHECK(queue_id_is_empty(&id), i);
	}
	for (size_t i = 0; i < 100000; i++) {
		struct queue_id id = queue_id_make(&s, 1767225600 + i, 0), back;

		if (!CHECK(queue_id_parse(queue_id_text(&id), &back) == 0 &&
		    queue_id_equal(&id, &back), i))
			break;
	}
}

TEST(session_id_make)
{
	struct queue_id_source s = QUEUE_ID_SOURCE(77);
	struct session_id a = session_id_make(&s, 1767225600, 5);
	struct session_id b = session_id_make(&s, 1767225600, 5);

	CHECK_INT(strlen(a.text), 15, 0);
	CHECK(strcmp(a.text, b.text) < 0, 0);
}
