/* SPDX-License-Identifier: ISC */
/*
 * addr_bytes: which bytes may stand where in addresses and phrases; for addr
 * and addr_list, whose words are made of the same atext (RFC 5322 3.2.3).
 */
#ifndef LIBMAIL_ADDR_BYTES_H
#define LIBMAIL_ADDR_BYTES_H

#include "libutil/slice.h"

enum {
	ADDR_BYTE_ATOM	= 1,		/* ASCII atext */
	ADDR_BYTE_DOT	= 2,
	ADDR_BYTE_HIGH	= 3,		/* part of UTF-8, or foreign */
};

extern const unsigned char addr_byte_table[256];

/* addr_byte - one of the above, or 0: a special, blank or control */
static inline unsigned
addr_byte(char c)
{
	return addr_byte_table[(unsigned char)c];
}

/* addr_is_word_byte - part of an atom, or a dot between atoms? */
static inline bool
addr_is_word_byte(char c)
{
	return addr_byte(c) != 0;
}

/* is it words and single dots between them? */
bool	addr_is_dot_string(struct slice s);

#endif
