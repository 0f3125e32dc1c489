/* SPDX-License-Identifier: ISC */
/*
 * mastercf: the services of master.cf, in Postfix's syntax. master starts
 * daemons from it, the conf command shows and edits it, check reads it. Does
 * no I/O: whoever reads the file hands over its text.
 *
 * A row is eight fields, of which the last is the command and its arguments:
 *
 *	service type private unprivileged chroot wakeup maxproc command...
 *
 * "-" is a field's default. A line that begins with a blank continues the row
 * before, comments and empty lines between them do not count, and { } holds
 * an argument together that has blanks in it.
 */
#ifndef LIBGLOBAL_MASTERCF_H
#define LIBGLOBAL_MASTERCF_H

#include "libutil/slice.h"

struct arena;
struct buf;
struct diag;

#define MASTERCF_TEXT_MAX	((size_t)4 << 20)
#define MASTERCF_SERVICES_MAX	4096
#define MASTERCF_ARGS_MAX	1024		/* of one row */

enum mastercf_type {
	MASTERCF_INET,
	MASTERCF_UNIX,
	MASTERCF_UNIX_DGRAM,
	MASTERCF_PASS,
	MASTERCF_FIFO,
};

enum mastercf_flag {
	MASTERCF_DEFAULT,		/* "-" */
	MASTERCF_NO,
	MASTERCF_YES,
};

enum mastercf_field {
	MASTERCF_SERVICE,
	MASTERCF_TYPE,
	MASTERCF_PRIVATE,
	MASTERCF_UNPRIVILEGED,
	MASTERCF_CHROOT,
	MASTERCF_WAKEUP,
	MASTERCF_MAXPROC,
	MASTERCF_COMMAND,		/* the command and its arguments */
};

struct mastercf_override {		/* -o name=value */
	struct slice	name;
	struct slice	value;		/* not expanded yet */
	uint32_t	line;
};

/* one row; all slices are in the arena */
struct mastercf_service {
	struct slice		 name;		/* "smtp", "[::1]:10025" */
	enum mastercf_type	 type;
	enum mastercf_flag	 is_private;	/* default yes, inet no */
	enum mastercf_flag	 unprivileged;	/* default yes */
	enum mastercf_flag	 chroot; /* default by compatibility_level */
	uint32_t		 wakeup;	/* seconds; 0: never */
	bool			 wakeup_if_used;	/* the "?" behind it */
	bool			 maxproc_default; /* $default_process_limit */
	uint32_t		 maxproc;	/* 0: no limit */
	struct slice		 command;
	unsigned		 verbose;	/* how many -v */
	bool			 debug;		/* -D */
	struct mastercf_override *override;
	size_t			 override_count;
	/* what stands behind the options, and options not named above */
	struct slice		*arg;
	size_t			 arg_count;
	uint32_t		 line;		/* where it begins */
};

struct mastercf {
	struct mastercf_service	*service;	/* in the order of the file */
	size_t			 count;
	/* a row that a later one of the same name and type replaced; 0: none */
	uint32_t		 replaced_line;
};

/* Parse a whole file. -EBADMSG: the finding names file and line. */
MUST_USE int	mastercf_parse(struct slice text, const char *file,
		    struct arena *a, struct diag *d, struct mastercf *ret_cf);
/* the row of that name and type, or NULL */
const struct mastercf_service	*mastercf_find(const struct mastercf *cf,
				    struct slice name, enum mastercf_type type);
/* cut an inet service into host (empty: all) and port, brackets removed */
MUST_USE int	mastercf_split_inet(struct slice name, struct slice *ret_host,
		    struct slice *ret_port);
/* the number of a port that has a name here, so that nothing depends on
 * /etc/services (known_tcp_ports); others as they are */
const char	*mastercf_port(const char *name);
/* the row as text, folded with one option a line, or on one line; parses back
 * to the same */
void	mastercf_format(struct buf *out, const struct mastercf_service *s,
	    bool folded);
/* one field of it as text */
void	mastercf_format_field(struct buf *out, const struct mastercf_service *s,
	    enum mastercf_field field);

const char	*mastercf_type_name(enum mastercf_type type);
MUST_USE int	mastercf_type_parse(struct slice s,
		    enum mastercf_type *ret_type);
/* "service", "type", "private", ... as postconf -F calls them */
const char	*mastercf_field_name(enum mastercf_field field);
MUST_USE int	mastercf_field_parse(struct slice s,
		    enum mastercf_field *ret_field);

/* --- commands: the rows of mastercf_commands.def */
enum mastercf_how {
	MASTERCF_RUN,		/* the row runs that daemon */
	MASTERCF_INSIDE, /* that daemon does the job; the row runs nothing */
	MASTERCF_NONE,		/* nothing does the job in this version */
};

struct mastercf_command {
	const char		*name;		/* in the row */
	const char		*daemon;	/* "" when nothing does it */
	enum mastercf_how	 how;
	const char		*sentence;	/* for barid check */
};

/* the command of that name; NULL: nobody knows it */
const struct mastercf_command	*mastercf_command_find(struct slice name);
/* walk them; NULL behind the last */
const struct mastercf_command	*mastercf_command_at(size_t i);

/* --- editing: what postconf -M, -F and -P do with -e, -X and -#. The text of
 * the whole file goes in, the changed text is put at the end of out; all that
 * is not named stays as it is, comments as well. -ENOENT: no such row;
 * -EBADMSG: the text, or what is to be put in, is wrong. */
/* put row (a whole row) in the place of the one of that name and type, or at
 * the end of the text */
MUST_USE int	mastercf_edit_set(struct slice text, struct slice name,
		    enum mastercf_type type, struct slice row, struct buf *out,
		    struct diag *d);
MUST_USE int	mastercf_edit_remove(struct slice text, struct slice name,
		    enum mastercf_type type, struct buf *out, struct diag *d);
MUST_USE int	mastercf_edit_comment(struct slice text, struct slice name,
		    enum mastercf_type type, struct buf *out, struct diag *d);
MUST_USE int	mastercf_edit_field(struct slice text, struct slice name,
		    enum mastercf_type type, enum mastercf_field field,
		    struct slice value, struct buf *out, struct diag *d);
/* put -o name=value into the row; a NULL value takes it out */
MUST_USE int	mastercf_edit_override(struct slice text, struct slice name,
		    enum mastercf_type type, struct slice param,
		    const struct slice *value, struct buf *out, struct diag *d);

#endif
