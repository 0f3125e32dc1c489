/* SPDX-License-Identifier: ISC */
/*
 * Almost every name is ASCII, so that is found out first, and only what is
 * left is given to libidn2, which allocates.
 */
#include "libmail/idna.h"

#include <idn2.h>

#include "libutil/alloc.h"
#include "libutil/buf.h"
#include "libutil/utf8.h"

/* the longest name that libidn2 is troubled with, in UTF-8 */
#define IDNA_INPUT_MAX	1024

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

	if (utf8_is_ascii(name)) {
		add_folded(out, name);
		return 0;
	}
	if (!utf8_is_valid(name))
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
