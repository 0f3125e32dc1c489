/* SPDX-License-Identifier: ISC */
/*
 * structure: the MIME tree of a message as IMAP shows it (RFC 3501 7.4.2
 * BODY, BODYSTRUCTURE) and the places of its parts. Made once at delivery
 * from the content and its facts, kept as a small record, from which both
 * are rendered and sections are found without a look at the message. JMAP's
 * bodyStructure and attachments come from the same record.
 */
#ifndef LIBMAIL_STRUCTURE_H
#define LIBMAIL_STRUCTURE_H

#include "libmail/envelope.h"
#include "libmail/facts.h"
#include "libmail/mime.h"

#define STRUCTURE_VERSION	1
/* in a longer record the parts lose their parameters and texts */
#define STRUCTURE_RICH_MAX	((size_t)1 << 20)

/* What the header of a part says; a slice without data is NIL. Where it is
 * and what it is below is in the facts. */
struct structure_part {
	struct slice		 type, subtype;
	struct mime_param	*params;
	size_t			 param_count;
	struct slice		 id, description, encoding, md5;
	struct slice		 disposition;
	struct mime_param	*disposition_params;
	size_t			 disposition_param_count;
	struct slice		*languages;
	size_t			 language_count;
	struct slice		 location;
	struct envelope		*envelope;	/* of a message in a message */
};

struct structure {
	struct facts		 facts;		/* without fields */
	struct structure_part	*parts;		/* one for each of its parts */
};

/* append the record of this content */
void	structure_build(struct buf *out, struct slice content,
	    const struct facts *f);
/* read it; -EBADMSG. Lent from it and from the arena. */
MUST_USE int	structure_parse(struct slice record, uint64_t content_length,
		    struct arena *a, struct structure *ret_structure);
/* append IMAP's BODY; with extension data: BODYSTRUCTURE */
void	structure_render_body(struct buf *out, const struct structure *s);
void	structure_render_bodystructure(struct buf *out,
	    const struct structure *s);

/* the part that these numbers name (RFC 3501 6.4.5: 4.2.2.1); -ENOENT. No
 * numbers name the message itself, part 0. */
MUST_USE int	structure_find(const struct structure *s,
		    const uint32_t *numbers, size_t count,
		    uint32_t *ret_part);

enum structure_text {
	STRUCTURE_ALL,		/* BODY[] whole, BODY[1.2] a part's body */
	STRUCTURE_HEADER,	/* of the message, or the message in a part */
	STRUCTURE_TEXT,		/* its body */
	STRUCTURE_MIME,		/* the part's own header */
};

struct structure_range {
	uint64_t	offset;		/* in the content */
	uint64_t	length;
	bool		from_top;	/* begins with the message's own header:
					 * what was put before the content
					 * belongs in front of it */
};

/* where the bytes of a section are; -ENOENT if there is no such section */
MUST_USE int	structure_section(const struct structure *s,
		    const uint32_t *numbers, size_t count,
		    enum structure_text text,
		    struct structure_range *ret_range);

/* a part's number, "4.2", appended; that of the message for a multipart that
 * is all of a message, so nothing if it is the message itself */
void	structure_number(struct buf *out, const struct structure *s,
	    uint32_t part);

#endif
