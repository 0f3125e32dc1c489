/* SPDX-License-Identifier: ISC */
/*
 * accounts: the accounts database: domains, accounts, aliases, groups, shared
 * accounts and quotas, in one LMDB file, accounts.mdb. authd has it open while
 * the suite runs and answers everybody's questions; `barid account` opens it
 * only while the suite is stopped. A lock on the folder keeps them apart.
 *
 * Calls block and know no tasks. Questions may be asked by several threads at
 * once, edits by one at a time. Each edit is one transaction, and durable when
 * the call returns.
 *
 * Names: an address is kept as "local@domain", the local part with its case
 * folded and without quotes, the domain in lower case and A-labels; so is
 * every address that is asked for. An account has an id of 16 hexadecimal
 * digits, drawn at random and never used again; its login name is an address.
 *
 * Every value carries a checksum over key and value. A record that does not
 * fit its checksum or its shape is -EBADMSG and harms no other. After
 * -ENOTRECOVERABLE the database must be opened anew.
 */
#ifndef LIBGLOBAL_ACCOUNTS_H
#define LIBGLOBAL_ACCOUNTS_H

#include "libglobal/accounts_record.h"

struct accounts;
struct addr_delimiters;
struct diag;

#define ACCOUNTS_FILE		"accounts.mdb"
#define ACCOUNTS_TARGETS_MAX	10000	/* of one alias, group or answer */
#define ACCOUNTS_DEPTH_MAX	16	/* groups in groups */
#define ACCOUNTS_PAGE_MAX	1000	/* rows of one accounts_list */
#define ACCOUNTS_PAGE_BYTES	((size_t)2 << 20)

enum accounts_mode {
	ACCOUNTS_READ,		/* -ENOENT: nothing was ever written */
	ACCOUNTS_WRITE,		/* make the file if it is not there */
};

/* open the database in a folder: -EBUSY another process has it, -EBADMSG it is
 * damaged as a whole, -EPROTONOSUPPORT a later version wrote it; the finding
 * says so in a sentence */
MUST_USE int	accounts_open(const char *folder, enum accounts_mode mode,
		    struct accounts **ret_accounts, struct diag *diag);
void		accounts_close(struct accounts **a);

/* --- questions; what comes back is in the arena. -ENOENT: there is none */

/* the form addresses are kept in; -EBADMSG no such address */
MUST_USE int	accounts_address(struct slice text, struct arena *arena,
		    struct slice *ret_address);
MUST_USE int	accounts_domain(struct accounts *a, struct slice domain,
		    struct arena *arena, struct accounts_domain *ret_domain);
MUST_USE int	accounts_by_id(struct accounts *a, struct slice id,
		    struct arena *arena, struct accounts_account *ret_account);
MUST_USE int	accounts_by_login(struct accounts *a, struct slice login,
		    struct arena *arena, struct accounts_account *ret_account);
/* the account's own limits, or its domain's; 0: none */
MUST_USE int	accounts_quota(struct accounts *a,
		    const struct accounts_account *account,
		    uint64_t *ret_bytes, uint64_t *ret_messages);
/* may that account be used by the member (an id) as if it were its own? */
MUST_USE int	accounts_may_share(struct accounts *a, struct slice shared,
		    struct slice member, bool *ret_may);

struct accounts_target {
	struct slice	account;	/* an id, or empty: go on with ... */
	struct slice	address;	/* ... this; an account's login name */
	bool		is_limited;	/* the account has a quota */
};

struct accounts_who {
	bool			 domain;	/* it is in the database */
	bool			 found;		/* and the address is */
	struct accounts_target	*target;
	size_t			 count;
};

/*
 * Who gets mail for this address? The address as it is, else without its
 * extension, else the domain's catch-all ("@domain"). An alias comes before
 * an account of the same name; where it names itself that account is meant.
 * Aliases become the addresses they stand for, one step; groups become the
 * accounts that are in them. extension: what was cut off is put on the
 * addresses of an alias. An account that is disabled still gets mail. 0 when
 * nothing is found, too.
 */
MUST_USE int	accounts_resolve(struct accounts *a, struct slice address,
		    const struct addr_delimiters *delimiters, bool extension,
		    struct arena *arena, struct accounts_who *ret_who);
/* the same if it is quick: -EINPROGRESS for aliases and groups */
MUST_USE int	accounts_resolve_fast(struct accounts *a, struct slice address,
		    struct arena *arena, struct accounts_who *ret_who);

/* --- lists */

struct accounts_row {
	struct slice	kind;
	struct slice	name;		/* address or domain */
	struct slice	account;	/* id; empty where there is none */
	struct slice	value;		/* targets or members, a line each */
	struct slice	display_name;
	uint64_t	quota_bytes;
	uint64_t	quota_messages;
	int64_t		created;
	bool		enabled;
};

/* rows of a kind ("account", "domain", "alias", "group", "shared"), by domain
 * and then local part, behind that name (empty: from the first on); *ret_more
 * if there are others. -EINVAL: no such kind. Accounts that are shared are
 * listed as such only. */
MUST_USE int	accounts_list(struct accounts *a, struct slice kind,
		    struct slice after, struct arena *arena,
		    struct accounts_row **ret_rows, size_t *ret_count,
		    bool *ret_more);
/* call back with each record that is damaged; says how many, or an error */
MUST_USE int	accounts_check(struct accounts *a,
		    void (*found)(void *arg, const char *what), void *arg);

/* --- edits */

enum accounts_verb {
#define VERB(name, text, password, doc)	ACCOUNTS_##name,
#include "libglobal/accounts_verbs.def"
	ACCOUNTS_VERB_COUNT
};

struct accounts_edit {
	enum accounts_verb	 verb;
	struct slice		 name;		/* address or domain */
	struct slice		 value;		/* see accounts_verbs.def */
	char			 id[ACCOUNTS_ID_SIZE + 1]; /* for a new one */
	int64_t			 now;		/* seconds since 1970 */
};

struct accounts_edited {
	char	account[ACCOUNTS_ID_SIZE + 1];	/* whose it is, or "" */
	bool	is_void;	/* sessions of that account must end */
	char	text[300];	/* why not */
};

/* the verb of that text ("account-add"); -ENOENT */
MUST_USE int	accounts_verb(struct slice text, enum accounts_verb *ret_verb);
/* does its value begin as a password (that is hashed before it comes here)? */
bool		accounts_verb_has_password(enum accounts_verb verb);
/* make an id of 8 random bytes */
void		accounts_id_make(const unsigned char random[8],
		    char id[ACCOUNTS_ID_SIZE + 1]);
/* change the database; -EINVAL: refused, the text says why. Other errors are
 * about the machine (-EEXIST: the id was taken; draw another one). */
MUST_USE int	accounts_edit(struct accounts *a, const struct accounts_edit *e,
		    struct accounts_edited *ret_edited);

#endif
