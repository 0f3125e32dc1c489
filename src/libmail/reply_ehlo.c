/* SPDX-License-Identifier: ISC */
/*
 * What a server offers is one bit for each row of smtp_keywords.def, and the
 * names of its SASL mechanisms as words with a blank on both sides, so that
 * one is found as " NAME ".
 */
#include "libmail/reply.h"

static const char *const keyword_names[REPLY_KEYWORD_COUNT] = {
#define KEYWORD(name, text, rfc)	[REPLY_KEYWORD_##name] = text,
#include "libmail/smtp_keywords.def"
};

/* find_keyword - its number, or REPLY_KEYWORD_COUNT */
static enum reply_keyword
find_keyword(struct slice word)
{
	size_t	i;

	for (i = 0; i < REPLY_KEYWORD_COUNT; i++)
		if (slice_equal_nocase(word, slice_of(keyword_names[i])))
			break;
	return (enum reply_keyword)i;
}

/* add_mechanism - remember a SASL mechanism; what does not fit is not used */
static void
add_mechanism(struct reply_ehlo *e, struct slice word)
{
	size_t	n = strlen(e->auth);

	if (n == 0)
		e->auth[n++] = ' ';
	if (word.len + 1 > REPLY_AUTH_MAX - n ||
	    reply_ehlo_has_auth(e, word)) {
		if (n == 1)
			e->auth[0] = '\0';
		return;
	}
	for (size_t i = 0; i < word.len; i++)
		e->auth[n++] = ascii_upper(word.data[i]);
	e->auth[n++] = ' ';
	e->auth[n] = '\0';
}

/* is_printable - no blank, control or 8-bit byte? */
static bool
is_printable(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] <= ' ' || s.data[i] > '~')
			return false;
	return true;
}

/* read_line - one keyword and its parameters */
static void
read_line(struct reply_ehlo *e, struct slice line)
{
	enum reply_keyword	keyword;
	struct slice		word;

	/* "AUTH=LOGIN" is what Outlook Express wanted; some servers say
	 * nothing else */
	if (slice_has_prefix_nocase(line, S("AUTH="))) {
		keyword = REPLY_KEYWORD_AUTH;
		line = slice_from(line, sizeof("AUTH=") - 1);
	} else {
		if (!slice_next_word(&line, " \t", &word))
			return;
		keyword = find_keyword(word);
	}
	if (keyword == REPLY_KEYWORD_COUNT)
		return;
	e->keywords |= UINT32_C(1) << keyword;

	if (keyword == REPLY_KEYWORD_AUTH)
		while (slice_next_word(&line, " \t", &word))
			if (is_printable(word))
				add_mechanism(e, word);
	if (keyword == REPLY_KEYWORD_SIZE &&
	    slice_next_word(&line, " \t", &word) &&
	    slice_to_u64(word, UINT64_MAX, &e->size) < 0)
		e->size = 0;		/* no number: no limit said */
}

/* read_host - the name on the first line (RFC 5321 4.1.1.1 ehlo-ok-rsp) */
static void
read_host(struct reply_ehlo *e, struct slice line)
{
	struct slice	word;

	if (!slice_next_word(&line, " \t", &word) || !is_printable(word) ||
	    word.len > REPLY_HOST_MAX)
		return;
	memcpy(e->host, word.data, word.len);
}

/* reply_ehlo_parse - what the server offers */
void
reply_ehlo_parse(const struct reply *r, struct reply_ehlo *ret_ehlo)
{
	struct slice		rest = buf_slice(&r->text);
	struct reply_ehlo	e = { .keywords = 0 };

	read_host(&e, slice_split(&rest, '\n'));
	while (rest.len > 0)
		read_line(&e, slice_split(&rest, '\n'));
	*ret_ehlo = e;
}

/* reply_ehlo_has_auth - is the mechanism offered? */
bool
reply_ehlo_has_auth(const struct reply_ehlo *e, struct slice mechanism)
{
	struct slice	rest = slice_of(e->auth), word;

	while (slice_next_word(&rest, " ", &word))
		if (slice_equal_nocase(word, mechanism))
			return true;
	return false;
}

/* reply_ehlo_discard - forget some of it */
void
reply_ehlo_discard(struct reply_ehlo *e, struct slice names)
{
	enum reply_keyword	keyword;
	struct slice		word;

	while (slice_next_word(&names, ", \t\r\n", &word)) {
		keyword = find_keyword(word);
		if (keyword != REPLY_KEYWORD_COUNT)
			e->keywords &= ~(UINT32_C(1) << keyword);
	}
}
