/* SPDX-License-Identifier: ISC */
/*
 * check: what barid check looks at, part by part. Each finding says what is
 * wrong, where, and what to do about it.
 */
#ifndef TOOLS_CHECK_H
#define TOOLS_CHECK_H

#include "tools/tool.h"

enum check_level {
	CHECK_NOTE,		/* good to know */
	CHECK_WARNING,		/* works, but not as it should */
	CHECK_ERROR,		/* something would fail */
};

struct check {
	struct tool	*tool;
	const char	*master_cf;	/* its path */
	const struct param_registry *registry;	/* all parameters */
	unsigned	 count[CHECK_ERROR + 1];
};

/* where: a file, a service, a parameter; "" when there is no such place */
void	check_found(struct check *c, enum check_level level, const char *where,
	    const char *format, ...) __attribute__((format(printf, 4, 5)));
void	check_found_diag(struct check *c, enum check_level level,
	    const struct diag *diag);

/* --- check_postfix.c */
struct check_postfix {
	const char		*name;
	enum check_level	 level;
	const char		*sentence;
};
/* the row of a parameter of Postfix that Barid does not have; NULL: none */
const struct check_postfix	*check_postfix_find(struct slice name);

/* --- check_conf.c: parameters and rows */
void	check_parameters(struct check *c);
void	check_services(struct check *c);
/* --- check_files.c: folders, programs, tables */
void	check_folders(struct check *c);
void	check_programs(struct check *c);
void	check_tables(struct check *c);
/* --- check_mail.c: who has the host's own mail */
void	check_mail(struct check *c);
/* --- check_tls.c: keys and certificates */
void	check_certificates(struct check *c);
/* --- check_host.c: users, kernel, ports */
void	check_users(struct check *c);
void	check_kernel(struct check *c);
void	check_name(struct check *c);
void	check_ports(struct check *c);

#endif
