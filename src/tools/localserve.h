/* SPDX-License-Identifier: ISC */
/*
 * localserve: the whole suite in one folder, on loopback. What the files of
 * barid localserve share: what was asked for, its files, certificates, and
 * the proof that every service answers.
 */
#ifndef TOOLS_LOCALSERVE_H
#define TOOLS_LOCALSERVE_H

#include "tools/tool.h"

#define LOCALSERVE_LIST_MAX	1000	/* of --account, --set */

enum localserve_tls {
	LOCALSERVE_STARTTLS,
	LOCALSERVE_IMPLICIT,
};

struct localserve_service {
	const char		*name;
	unsigned		 offset;
	const char		*daemon;
	enum localserve_tls	 tls;
	const char		*options;
};

/* a NULL name ends the array */
extern const struct localserve_service	localserve_services[];

struct localserve_pair {
	const char	*service;	/* --set only: of SERVICE:, or NULL */
	const char	*name;
	const char	*value;
};

struct localserve {
	struct tool		*tool;
	const char		*directory;	/* absolute */
	unsigned		 port;
	const char		*domain;
	struct localserve_pair	*account;	/* name and password */
	size_t			 account_count;
	struct localserve_pair	*set;
	size_t			 set_count;
	const char		*prefix;	/* --accounts, or NULL */
	uint32_t		 prefix_count;
	const char		*prefix_password;
	bool			 ipv6;
	const char		*ca_file;
};

/* does it exist: is its program there? */
bool	localserve_has(struct localserve *l,
	    const struct localserve_service *s);
/* these say what is wrong themselves and return an exit status */
MUST_USE int	localserve_options(struct localserve *l, int argc, char **argv);
MUST_USE int	localserve_write(struct localserve *l);
MUST_USE int	localserve_accounts(struct localserve *l);
/* wait until each service answers */
MUST_USE int	localserve_probe(struct localserve *l, int64_t limit_ms);
/* ca.pem, cert.pem and key.pem in a folder, for localhost and that domain;
 * those of an earlier run are kept while they fit */
MUST_USE int	certificate_make(struct tool *tool, const char *folder,
		    const char *domain);

#endif
