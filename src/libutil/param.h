/* SPDX-License-Identifier: ISC */
/*
 * param: typed parameters from declared tables. A daemon writes its table,
 * smtpd_params.def, once:
 *
 *	PARAM(TIME, smtpd_timeout, "300s", "1s", "1h",
 *		"How long a client may stay silent.",
 *		"A client that exceeds it is answered 421 and closed.")
 *	#undef PARAM
 *
 * type, name, default, minimum, maximum, gist, explanation; param_declare.h
 * and param_define.h make `struct smtpd_params` and `smtpd_param_table` of
 * it. param_load fills the struct from a conf, at start-up.
 *
 * type   C type               the text                       minimum, maximum
 * STR    struct slice         anything, expanded             lengths
 * RAW    struct slice         anything, not expanded         lengths
 * BOOL   bool                 yes or no                      ""
 * INT    int64_t              decimal, may be negative       numbers
 * SIZE   uint64_t             bytes; suffix k, m, g          sizes
 * TIME   param_msec           number, suffix ms s m h d w    times
 * LIST   struct param_list    items as in conf_list_next     counts
 * ENUM   int                  one word of the minimum        "a|b|c", ""
 * LEVEL  uint32_t             a version such as 3.6          versions
 *
 * "" as minimum or maximum sets no bound. A TIME without a suffix has the
 * unit that ends its default (seconds when the default has none). Strings
 * have an uncounted NUL behind them, and live in the arena. A default may
 * hold $name; only the text that results must be in range.
 *
 * A row whose name begins with "_" belongs to a service by name: the row
 * _destination_concurrency_limit is read by param_load_service for smtp as
 * smtp_destination_concurrency_limit.
 */
#ifndef LIBUTIL_PARAM_H
#define LIBUTIL_PARAM_H

#include "libutil/hash.h"
#include "libutil/slice.h"

struct arena;
struct buf;
struct conf;
struct conf_entry;
struct diag;

typedef int64_t param_msec;		/* milliseconds */

struct param_list {
	const struct slice	*item;
	size_t			 count;
};

enum param_type {
	PARAM_STR, PARAM_RAW, PARAM_BOOL, PARAM_INT, PARAM_SIZE, PARAM_TIME,
	PARAM_LIST, PARAM_ENUM, PARAM_LEVEL,
};

#define PARAM_CTYPE_STR		struct slice
#define PARAM_CTYPE_RAW		struct slice
#define PARAM_CTYPE_BOOL	bool
#define PARAM_CTYPE_INT		int64_t
#define PARAM_CTYPE_SIZE	uint64_t
#define PARAM_CTYPE_TIME	param_msec
#define PARAM_CTYPE_LIST	struct param_list
#define PARAM_CTYPE_ENUM	int	/* which word, from 0 */
#define PARAM_CTYPE_LEVEL	uint32_t

/* a version as a LEVEL value: PARAM_LEVEL_OF(3, 6, 0) */
#define PARAM_LEVEL_OF(major, minor, patch) \
	((uint32_t)(major) << 20 | (uint32_t)(minor) << 10 | (uint32_t)(patch))

struct param {
	const char	*name;
	enum param_type	 type;
	const char	*dflt;
	const char	*min;
	const char	*max;
	const char	*gist;
	const char	*doc;
	size_t		 offset;	/* in the struct to be filled */
};

struct param_table {
	const char		*owner;		/* "smtpd" */
	const struct param	*params;
	size_t			 count;
};

/* put the defaults of a table into a layer, where nothing is defined yet;
 * rows that belong to a service are put by param_defaults_service */
void	param_defaults(struct conf *, const struct param_table *);
void	param_defaults_service(struct conf *, const struct param_table *,
	    struct slice service);

/* fill the struct that belongs to the table. The conf need not hold the
 * defaults, but for those that other values refer to. 0, or -EBADMSG: the
 * finding names file:line, parameter, value and what is allowed; the struct
 * is unchanged then */
MUST_USE int	param_load(const struct param_table *, const struct conf *,
		    struct arena *, void *ret_struct, struct diag *);
/* the same for a table of rows that belong to a service */
MUST_USE int	param_load_service(const struct param_table *,
		    struct slice service, const struct conf *, struct arena *,
		    void *ret_struct, struct diag *);
/* check every row, and call back with each finding; says how many */
size_t	param_check(const struct param_table *, const struct conf *,
	    void (*found)(void *arg, const struct diag *), void *arg);
size_t	param_check_service(const struct param_table *, struct slice service,
	    const struct conf *, void (*found)(void *arg, const struct diag *),
	    void *arg);
/* check one text against one row, without expanding it */
MUST_USE int	param_check_text(const struct param *, struct slice text,
		    struct diag *);
/* append a value as a text that reads back the same: "5m", "64k", "yes" */
void	param_format(struct buf *out, const struct param *,
	    const void *param_struct);
/* "STR", "time", ...: the type in words for a manual page */
const char	*param_type_name(enum param_type);

/* all tables together, for tools */

struct param_registry {
	struct hash		  by_name;	/* struct param, first wins */
	const struct param_table *tables[64];
	size_t			  count;
};
#define PARAM_REGISTRY_INIT	{ HASH_INIT, { NULL }, 0 }

/* the table must outlive the registry */
void	param_registry_add(struct param_registry *, const struct param_table *);
void	param_registry_free(struct param_registry *);
/* the row of a name: its own, or the "_suffix" row that the name ends with;
 * NULL if no table knows it */
const struct param	*param_registry_find(const struct param_registry *,
			    struct slice name);
/* append up to three known names that look like this one: "a, b"; from the
 * registry, and from the names of the conf (NULL for none) */
void	param_nearest(const struct param_registry *, const struct conf *,
	    struct slice name, struct buf *out);
/*
 * Find what is misspelt: names in this layer of the conf, and in the layers
 * of services over it, that no table knows, no value refers to, and no
 * smtpd_restriction_classes lists; and references to names that are defined
 * nowhere. Calls back with each definition and its finding; says how many.
 */
size_t	param_unknown(const struct param_registry *, const struct conf *,
	    const struct conf *const *services, size_t service_count,
	    void (*found)(void *arg, const struct conf_entry *,
	    const struct diag *), void *arg);

#endif
