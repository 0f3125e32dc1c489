/* SPDX-License-Identifier: ISC */
/*
 * param_types: what param.c knows of each type of parameter: how its text is
 * read and checked, how much of a struct it fills. Nobody else needs it.
 */
#ifndef LIBUTIL_PARAM_TYPES_H
#define LIBUTIL_PARAM_TYPES_H

#include "libutil/param.h"

/* one row being read */
struct param_row {
	const struct param	*param;
	const struct conf	*conf;
	struct arena		*arena;
	struct slice		 name;	/* with its service, if it has one */
	struct slice		 text;	/* expanded, unless RAW */
	int64_t			 time_unit;
	struct diag		*diag;
};

/* a value of any type, before it is stored */
struct param_value {
	union {
		struct slice		str;
		bool			yes;
		int64_t			number;		/* INT and TIME */
		uint64_t		size;
		struct param_list	list;
		int			word;
		uint32_t		level;
	} u;
};

/* read and check row->text: 0, or -EBADMSG with a finding that names the
 * parameter, the value and what is allowed */
MUST_USE int	param_parse(const struct param_row *,
		    struct param_value *ret_value);
/* the size of the type's C type */
size_t		param_value_size(enum param_type);

#endif
