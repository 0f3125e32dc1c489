/* SPDX-License-Identifier: ISC */
/*
 * What the files of the scan share; nobody else includes it. scan.c cuts
 * chunks into lines and knows what lines are like; scan_header.c reads the
 * lines of headers; scan_parts.c keeps the tree of parts.
 */
#ifndef LIBMAIL_SCAN_PRIVATE_H
#define LIBMAIL_SCAN_PRIVATE_H

#include "libmail/scan.h"

/* The first bytes of a line that are looked at, wherever chunks are cut: a
 * header line longer than this is told, but not understood to its end. */
#define SCAN_LINE_HEAD		((size_t)16 << 10)
/* The first bytes of a field that are looked at for MIME. */
#define SCAN_FIELD_HEAD		((size_t)64 << 10)
#define SCAN_LINE_LONG		998	/* RFC 5322 2.1.1 */

/* a place between two lines: its offset, and the line ends before it */
struct scan_place {
	uint64_t	at;
	uint64_t	lines;
};

struct scan_line {
	struct slice	head;		/* without its end */
	struct scan_place start;
	struct scan_place next;		/* behind its end */
	uint64_t	length;		/* without its end */
	uint8_t		eol;		/* bytes of its end: 0, 1, 2 */
	uint8_t		before;		/* of the line before */
	uint16_t	flags;		/* enum facts_part_flag, what it has */
};

/* the header field that is being read */
struct scan_field {
	enum header_id	id;
	bool		open;
	bool		skip;		/* an mbox From line: also not told */
	bool		cut;		/* text holds only its beginning */
	uint64_t	offset;
	uint32_t	value;
	struct buf	text;		/* raw, of MIME fields */
};

/* a part that is being read; the last is the innermost */
struct scan_open {
	uint32_t	part;
	uint64_t	lines;		/* those before its header or body */
	uint64_t	floor;		/* it cannot end before this */
	size_t		boundary_at;	/* in scan.boundaries */
	size_t		boundary_length; /* 0: nothing to look for */
};

struct scan {
	struct scan_limits	limits;
	struct facts		facts;		/* totals so far */
	struct facts_field	*fields;
	size_t			 field_cap;
	struct facts_part	*parts;
	size_t			 part_cap;
	struct scan_open	*open;
	size_t			 open_count;
	size_t			 open_cap;
	struct buf		 boundaries;
	struct arena		 arena;		/* for one MIME field */
	bool			 in_header;	/* else in a body */
	bool			 opaque;	/* no boundary counts now */
	/* of the header being read */
	struct scan_field	 field;
	uint32_t		 seen;		/* MIME fields of it, as bits */
	struct buf		 boundary;	/* its boundary parameter */
	bool			 not_utf8;	/* 8-bit that is not UTF-8 */
	/* of the line being read, if the last chunk ended within it */
	struct buf		 head;
	struct scan_place	 line_start;
	uint64_t		 line_length;	/* so far; 0: none is */
	uint16_t		 line_flags;
	bool			 line_cr;	/* ends in a CR so far */
	uint8_t			 eol_before;
};

/* scan_header.c: a line while in_header; says whether the line is used up
 * (else the body began with it) */
bool	scan_header_line(struct scan *s, const struct scan_line *l);
/* the field being read, if any, is complete: it ends there */
void	scan_field_end(struct scan *s, uint64_t at);

/* scan_parts.c: begin a part whose header starts there */
void	scan_part_begin(struct scan *s, struct scan_place here);
/* the innermost part's header is over */
void	scan_body_begin(struct scan *s, struct scan_place here, bool split);
/* a line that may be a delimiter; says whether it was one */
bool	scan_delimiter(struct scan *s, const struct scan_line *l);
/* everything ends here */
void	scan_parts_end(struct scan *s, struct scan_place here);
/* the innermost part */
struct facts_part	*scan_part(struct scan *s);

#endif
