/* SPDX-License-Identifier: ISC */
/*
 * drill: hostile code in the place of a daemon; see drill.c. This is what its
 * files share. It is preloaded, so it uses nothing of the daemon's but the
 * tables, of which it has a copy.
 */
#ifndef HELPERS_DRILL_H
#define HELPERS_DRILL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "libtask/ipc.h"

#define DRILL_FDS	4096	/* descriptors that are looked at */
#define DRILL_FRAME_MAX	(4u << 20)

/* tell the test: one line, no blanks in either */
void	drill_tell(const char *what, const char *outcome);
bool	drill_is_own(int fd);		/* not the daemon's */
bool	drill_is_child(void);		/* an account process */
const char	*drill_account(void);	/* the id of somebody else's account */
const char	*drill_place(void);	/* a folder that is not the suite's */

/* --- drill_frame.c: frames as the tables say */

enum drill_flavour {
	FLAVOUR_ZERO,		/* nothing, no, 0 */
	FLAVOUR_EXTREME,	/* as much as the table lets */
	FLAVOUR_OTHERS,		/* other people's names, ids, accounts */
	FLAVOUR_PATH,		/* what would be a path out of somewhere */
	FLAVOUR_BEYOND,		/* more than the table lets */
	FLAVOURS
};
enum drill_kind { KIND_NOTE, KIND_CALL, KIND_REPLY };

extern const char *const	drill_flavours[FLAVOURS];
extern const char *const	drill_kinds[];

/* send a forged message; the errno of it if it cannot be sent at all, and
 * -ENOMSG where nothing of the kind can be said (nothing is beyond) */
int	drill_say(int fd, const struct ipc_desc *d, enum drill_flavour flavour,
	    enum drill_kind kind, uint32_t request);
/* the same with these descriptors */
int	drill_say_with(int fd, const struct ipc_desc *d,
	    enum drill_flavour flavour, enum drill_kind kind, uint32_t request,
	    const int *fds, int fd_count);
/* what a message says, as name(field=number,...): texts by their length */
void	drill_describe(const struct ipc_desc *d, struct slice body, char *out,
	    size_t room);
/* the bytes of a field, by its place from 0 on; empty if there is none */
struct slice	drill_field(struct slice body, unsigned place);

struct drill_head {
	uint32_t	length;
	uint32_t	request;
	uint16_t	number;
	uint8_t		kind;
	uint8_t		fd_count;
};
#define DRILL_HEAD	12
bool	drill_parse_head(const char *data, size_t len, struct drill_head *ret);

/* --- drill_roles.c: which conversation a descriptor carries, learnt from
 * what the daemon was sent */

struct drill_role {
	const struct ipc_table	*table;		/* NULL: not known */
	const char		*peer;
	bool			 we_call;
};

void	drill_role_set(int fd, const struct ipc_table *table, bool we_call,
	    const char *peer);
const struct drill_role	*drill_role(int fd);
/* look at what a receive call has brought */
void	drill_learn(int fd, const struct msghdr *m, size_t len);
/* the descriptors of a received message; how many */
int	drill_received(const struct msghdr *m, int *fds, int room);

/* --- drill_forge.c: say everything to everybody; does not return */
void	drill_forge(void);
const char	*drill_wanted(void);	/* the daemon an edge is wanted to */
const char	*drill_wanted_path(void);	/* or the path of a socket */
/* have those started whom this daemon may call: without a sandbox it may not
 * find its files, and then does not get so far itself */
void	drill_wake(void);
/* before the sandbox: where it is written down how far we are */
void	drill_forge_prepare(const char *path);

#endif
