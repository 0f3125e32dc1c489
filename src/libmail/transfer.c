/* SPDX-License-Identifier: ISC */
/*
 * Base64 goes four letters at a time through a table while all is well, and
 * letter by letter where a line ends or something else stands between.
 * Quoted-printable copies runs between "=", line ends and blanks; blanks are
 * held back, because those before a line end are transport padding (RFC 2045
 * 6.7 rule 3).
 */
#include "libmail/transfer.h"

#include "libutil/cursor.h"
#include "libutil/hex.h"

#define BAD	0
#define END	0x80	/* "=" */
#define SKIP	0x81	/* line ends and blanks */
#define LETTER	0x40	/* stands for its low six bits */
#define L(v)	(LETTER | (v))

#define BLOCK	1024	/* letters that room is made for at a time */

/* what a byte is in base64 (RFC 2045 table 1) */
static const uint8_t sextet[256] = {
	['\r'] = SKIP, ['\n'] = SKIP, [' '] = SKIP, ['\t'] = SKIP, ['='] = END,
	['A'] = L(0), ['B'] = L(1), ['C'] = L(2), ['D'] = L(3),
	['E'] = L(4), ['F'] = L(5), ['G'] = L(6), ['H'] = L(7),
	['I'] = L(8), ['J'] = L(9), ['K'] = L(10), ['L'] = L(11),
	['M'] = L(12), ['N'] = L(13), ['O'] = L(14), ['P'] = L(15),
	['Q'] = L(16), ['R'] = L(17), ['S'] = L(18), ['T'] = L(19),
	['U'] = L(20), ['V'] = L(21), ['W'] = L(22), ['X'] = L(23),
	['Y'] = L(24), ['Z'] = L(25), ['a'] = L(26), ['b'] = L(27),
	['c'] = L(28), ['d'] = L(29), ['e'] = L(30), ['f'] = L(31),
	['g'] = L(32), ['h'] = L(33), ['i'] = L(34), ['j'] = L(35),
	['k'] = L(36), ['l'] = L(37), ['m'] = L(38), ['n'] = L(39),
	['o'] = L(40), ['p'] = L(41), ['q'] = L(42), ['r'] = L(43),
	['s'] = L(44), ['t'] = L(45), ['u'] = L(46), ['v'] = L(47),
	['w'] = L(48), ['x'] = L(49), ['y'] = L(50), ['z'] = L(51),
	['0'] = L(52), ['1'] = L(53), ['2'] = L(54), ['3'] = L(55),
	['4'] = L(56), ['5'] = L(57), ['6'] = L(58), ['7'] = L(59),
	['8'] = L(60), ['9'] = L(61), ['+'] = L(62), ['/'] = L(63),
};

/* transfer_encoding_of - find an encoding by its name */
enum facts_encoding
transfer_encoding_of(struct slice name)
{
	static const struct {
		struct slice	name;
		enum facts_encoding encoding;
	} names[] = {
		{ S_INIT(""),			ENCODING_7BIT },
		{ S_INIT("7bit"),		ENCODING_7BIT },
		{ S_INIT("8bit"),		ENCODING_8BIT },
		{ S_INIT("binary"),		ENCODING_BINARY },
		{ S_INIT("base64"),		ENCODING_BASE64 },
		{ S_INIT("quoted-printable"),	ENCODING_QP },
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (slice_equal_nocase(names[i].name, name))
			return names[i].encoding;
	return ENCODING_OTHER;
}

/* transfer_init - begin a body */
void
transfer_init(struct transfer *t, enum facts_encoding encoding)
{
	*t = (struct transfer){ .encoding = (uint8_t)encoding };
}

/* quads - decode whole groups of four letters from the front; gives how many
 * letters were used */
static size_t
quads(struct slice in, char *to, size_t *ret_made)
{
	const unsigned char	*p = (const unsigned char *)in.data;
	size_t			 i = 0, n = 0;

	for (; i + 4 <= in.len; i += 4) {
		uint8_t	a = sextet[p[i]], b = sextet[p[i + 1]];
		uint8_t	c = sextet[p[i + 2]], d = sextet[p[i + 3]];

		if (!(a & b & c & d & LETTER))
			break;
		a &= 63, b &= 63, c &= 63, d &= 63;
		to[n++] = (char)(a << 2 | b >> 4);
		to[n++] = (char)(b << 4 | c >> 2);
		to[n++] = (char)(c << 6 | d);
	}
	*ret_made = n;
	return i;
}

/* pad - "=": what was gathered is the end of the data; another group may
 * follow, where encoded pieces were put one after the other */
static void
pad(struct transfer *t, struct buf *out)
{
	if (t->have >= 2)
		buf_add_byte(out, (char)(t->bits >> (t->have == 3 ? 10 : 4)));
	if (t->have == 3)
		buf_add_byte(out, (char)(t->bits >> 2));
	if (t->have == 1)
		t->damaged = true;
	t->have = 0;
	t->bits = 0;
}

/* letter - decode one base64 letter */
static void
letter(struct transfer *t, unsigned char byte, struct buf *out)
{
	uint8_t	v = sextet[byte];

	if (v == END) {
		pad(t, out);
		return;
	}
	if (v == SKIP)
		return;
	if (v == BAD) {		/* RFC 2045 6.8: other characters are ignored */
		t->damaged = true;
		return;
	}
	t->bits = t->bits << 6 | (v & 63);
	if (++t->have < 4)
		return;
	buf_add_byte(out, (char)(t->bits >> 16));
	buf_add_byte(out, (char)(t->bits >> 8));
	buf_add_byte(out, (char)t->bits);
	t->have = 0;
	t->bits = 0;
}

/* base64 - decode a piece */
static void
base64(struct transfer *t, struct slice in, struct buf *out)
{
	size_t	made;
	char	*room;

	while (in.len > 0) {
		if (t->have == 0 && in.len >= 4 &&
		    (room = buf_room(out, BLOCK / 4 * 3)) != NULL) {
			size_t	used = quads(slice_sub(in, 0, BLOCK), room,
			    &made);

			in = slice_from(in, used);
			buf_grown(out, made);
			if (used == BLOCK)
				continue;
		}
		/* one letter at least, and on to the next full group */
		while (in.len > 0) {
			letter(t, (unsigned char)in.data[0], out);
			in = slice_from(in, 1);
			if (t->have == 0)
				break;
		}
	}
}

enum { QP_TEXT, QP_EQUAL, QP_HEX, QP_EQUAL_BLANK, QP_EQUAL_CR };

/* put_blanks - blanks that were held back are text */
static void
put_blanks(struct transfer *t, struct buf *out)
{
	buf_add(out, slice_over(t->blanks, t->blank_count));
	t->blank_count = 0;
}

/* qp_text - plain text up to the next byte that means something */
static void
qp_text(struct transfer *t, struct cursor *c, struct buf *out)
{
	struct cursor	start = *c;
	struct slice	text;
	int		byte = cursor_peek(c);

	if (byte == '=') {
		(void)cursor_byte(c);
		put_blanks(t, out);
		t->state = QP_EQUAL;
		return;
	}
	if (byte == ' ' || byte == '\t') {
		/* RFC 2045 6.7 (5): no line of padding has more */
		if (t->blank_count == sizeof(t->blanks))
			put_blanks(t, out);
		t->blanks[t->blank_count++] = (char)cursor_byte(c);
		return;
	}
	if (byte == '\r' || byte == '\n')
		t->blank_count = 0;
	else
		put_blanks(t, out);
	do {
		(void)cursor_byte(c);
		byte = cursor_peek(c);
	} while (byte > ' ' && byte != '=');
	text = cursor_since(c, &start);
	buf_add(out, text);
}

/* qp_equal - behind "=" */
static void
qp_equal(struct transfer *t, struct cursor *c, struct buf *out)
{
	int	byte = cursor_peek(c);

	if (byte == '\n') {
		(void)cursor_byte(c);
		t->state = QP_TEXT;
	} else if (byte == '\r') {
		(void)cursor_byte(c);
		t->state = QP_EQUAL_CR;
	} else if (byte == ' ' || byte == '\t') {
		(void)cursor_byte(c);
		t->state = QP_EQUAL_BLANK;
	} else if (t->state == QP_EQUAL && hex_digit((char)byte) >= 0) {
		t->bits = (uint32_t)cursor_byte(c);
		t->state = QP_HEX;
	} else {
		t->damaged = true;
		buf_add_byte(out, '=');
		t->state = QP_TEXT;
	}
}

/* qp_hex - behind "=" and a digit */
static void
qp_hex(struct transfer *t, struct cursor *c, struct buf *out)
{
	int	low = hex_digit((char)cursor_peek(c));

	t->state = QP_TEXT;
	if (low >= 0) {
		(void)cursor_byte(c);
		buf_add_byte(out,
		    (char)(hex_digit((char)t->bits) << 4 | low));
		return;
	}
	t->damaged = true;
	buf_add_byte(out, '=');
	buf_add_byte(out, (char)t->bits);
}

/* quoted_printable - decode a piece */
static void
quoted_printable(struct transfer *t, struct slice in, struct buf *out)
{
	struct cursor	c = cursor_over(in);

	while (!cursor_at_end(&c)) {
		switch (t->state) {
		case QP_TEXT:
			qp_text(t, &c, out);
			break;
		case QP_HEX:
			qp_hex(t, &c, out);
			break;
		case QP_EQUAL_CR:
			(void)cursor_skip_byte(&c, '\n');
			t->state = QP_TEXT;
			break;
		default:
			qp_equal(t, &c, out);
			break;
		}
	}
}

/* transfer_decode - decode a piece */
void
transfer_decode(struct transfer *t, struct slice in, struct buf *out)
{
	if (t->encoding == ENCODING_BASE64)
		base64(t, in, out);
	else if (t->encoding == ENCODING_QP)
		quoted_printable(t, in, out);
	else
		buf_add(out, in);
}

/* transfer_finish - the body is over */
void
transfer_finish(struct transfer *t, struct buf *out)
{
	if (t->encoding == ENCODING_BASE64 && t->have > 0) {
		t->damaged = true;
		pad(t, out);
	}
	if (t->encoding != ENCODING_QP)
		return;
	t->blank_count = 0;
	if (t->state == QP_HEX) {
		t->damaged = true;
		buf_add_byte(out, '=');
		buf_add_byte(out, (char)t->bits);
	}
	t->state = QP_TEXT;
}
