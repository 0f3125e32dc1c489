/* SPDX-License-Identifier: ISC */
/*
 * Almost every name is ASCII, so that is found out first, eight bytes at a
 * time, and only what is left is given to libidn2, which allocates.
 */
#include "libmail/idna.h"

#include <idn2.h>

#include "libutil/alloc.h"
#include "libutil/buf.h"

#define HIGH_BITS	UINT64_C(0x8080808080808080)
/* the longest name that libidn2 is troubled with, in UTF-8 */
#define IDNA_INPUT_MAX	1024

/* ascii_prefix - how many bytes at the start are surely ASCII */
static size_t
ascii_prefix(struct slice s)
{
	uint64_t	word;
	size_t		i = 0;

	for (; i + sizeof(word) <= s.len; i += sizeof(word)) {
		memcpy(&word, s.data + i, sizeof(word));
		if ((word & HIGH_BITS) != 0)
			break;
	}
	while (i < s.len && (unsigned char)s.data[i] < 0x80)
		i++;
	return i;
}

/* idna_is_ascii - no byte above 127? */
bool
idna_is_ascii(struct slice s)
{
	return ascii_prefix(s) == s.len;
}

/*
 * utf8_length - how long the character at the start is, 0 if it is none
 * (RFC 3629 4, the table of UTF8-octets)
 */
static size_t
utf8_length(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.data;
	unsigned char	low = 0x80, high = 0xbf;
	size_t		n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (s.len < n)
		return 0;

	/* the second byte is what keeps out long forms and surrogates */
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return n;
}

/* idna_is_utf8 - nothing but whole characters? */
bool
idna_is_utf8(struct slice s)
{
	size_t	n;

	for (;;) {
		s = slice_from(s, ascii_prefix(s));
		if (s.len == 0)
			return true;
		if ((n = utf8_length(s)) == 0)
			return false;
		s = slice_from(s, n);
	}
}

/* add_folded - append ASCII in lower case */
static void
add_folded(struct buf *out, struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		buf_add_byte(out, ascii_lower(name.data[i]));
}

/* idn_error - what libidn2 means, as an errno */
static int
idn_error(int code)
{
	if (code == IDN2_MALLOC)
		fatal("out of memory in libidn2");
	if (code == IDN2_TOO_BIG_DOMAIN || code == IDN2_TOO_BIG_LABEL)
		return -EMSGSIZE;
	return -EBADMSG;
}

/* idna_to_ascii - the name with A-labels */
int
idna_to_ascii(struct slice name, struct buf *out)
{
	char	 text[IDNA_INPUT_MAX + 1];
	uint8_t	*ascii = NULL;
	int	 code;

	if (idna_is_ascii(name)) {
		add_folded(out, name);
		return 0;
	}
	if (!idna_is_utf8(name))
		return -EILSEQ;
	if (name.len > IDNA_INPUT_MAX)
		return -EMSGSIZE;
	if (slice_find(name, '\0') != SLICE_NONE)
		return -EBADMSG;
	memcpy(text, name.data, name.len);
	text[name.len] = '\0';

	code = idn2_lookup_u8((const uint8_t *)text, &ascii,
	    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (code != IDN2_OK)
		return idn_error(code);
	/* the mapping leaves ASCII that was there as it was */
	add_folded(out, slice_of((const char *)ascii));
	idn2_free(ascii);
	return 0;
}

/* label_to_unicode - append one label */
static void
label_to_unicode(struct slice label, struct buf *out)
{
	char	text[64];
	char	*unicode = NULL;

	if (label.len >= sizeof(text) ||
	    !slice_has_prefix_nocase(label, S("xn--"))) {
		buf_add(out, label);
		return;
	}
	memcpy(text, label.data, label.len);
	text[label.len] = '\0';
	if (idn2_to_unicode_8z8z(text, &unicode, 0) != IDN2_OK) {
		buf_add(out, label);
		return;
	}
	buf_add_text(out, unicode);
	idn2_free(unicode);
}

/* idna_to_unicode - the name as people write it */
void
idna_to_unicode(struct slice name, struct buf *out)
{
	size_t	dot;

	while ((dot = slice_find(name, '.')) != SLICE_NONE) {
		label_to_unicode(slice_sub(name, 0, dot), out);
		buf_add_byte(out, '.');
		name = slice_from(name, dot + 1);
	}
	label_to_unicode(name, out);
}
