/* SPDX-License-Identifier: ISC */
/*
 * The constants are ours: the headers of the system know the first versions
 * only, while the kernel may know all. Every right of a version is handled,
 * so that whatever is not allowed is forbidden.
 */
#include "libtask/landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libutil/size.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset	444
#define SYS_landlock_add_rule		445
#define SYS_landlock_restrict_self	446
#endif

#define CREATE_VERSION	1u
#define RULE_PATH	1

#define FS_WRITE_FILE	(1ull << 1)
#define FS_READ_FILE	(1ull << 2)
#define FS_READ_DIR	(1ull << 3)
#define FS_REMOVE_DIR	(1ull << 4)
#define FS_REMOVE_FILE	(1ull << 5)
#define FS_MAKE_DIR	(1ull << 7)
#define FS_MAKE_REG	(1ull << 8)
#define FS_REFER	(1ull << 13)
#define FS_TRUNCATE	(1ull << 14)
/* what can be allowed on a file, not a folder */
#define FS_OF_FILES	(FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)

/* how many rights a version has, from the first bit on */
static const struct {
	unsigned	fs;
	unsigned	net;		/* bind and connect by TCP */
	unsigned	scope;		/* abstract sockets, signals */
} rights[LANDLOCK_ABI_MAX + 1] = {
	{ 0, 0, 0 },
	{ 13, 0, 0 },
	{ 14, 0, 0 },			/* move between folders */
	{ 15, 0, 0 },			/* truncate */
	{ 15, 2, 0 },
	{ 16, 2, 0 },			/* ioctl on devices */
	{ 16, 2, 2 },
	{ 16, 2, 2 },
};

/* the kernel's structs */
struct ruleset_attr {
	uint64_t	fs;
	uint64_t	net;
	uint64_t	scope;
};
struct path_attr {
	uint64_t	access;
	int32_t		fd;
} __attribute__((packed));

/* low_bits - the first n bits */
static uint64_t
low_bits(unsigned n)
{
	return (1ull << n) - 1;
}

/* landlock_abi - what can this kernel do? */
int
landlock_abi(void)
{
	long	v = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
		    CREATE_VERSION);

	return v <= 0 ? 0 : v > LANDLOCK_ABI_MAX ? LANDLOCK_ABI_MAX : (int)v;
}

/* landlock_begin - a ruleset that forbids all it can */
int
landlock_begin(struct landlock_rules *l, bool may_use_tcp)
{
	struct ruleset_attr	attr;

	l->fd = -1;
	l->abi = landlock_abi();
	if (l->abi == 0)
		return 0;
	attr.fs = low_bits(rights[l->abi].fs);
	attr.net = may_use_tcp ? 0 : low_bits(rights[l->abi].net);
	attr.scope = low_bits(rights[l->abi].scope);
	l->fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr),
	    0u);
	return l->fd < 0 ? -errno : 0;
}

/* rights_of - what an access means to the kernel */
static uint64_t
rights_of(enum sandbox_access access)
{
	uint64_t	r = FS_READ_FILE | FS_READ_DIR;

	if (access >= SANDBOX_WRITE)
		r |= FS_WRITE_FILE | FS_TRUNCATE;
	if (access >= SANDBOX_MAKE)
		r |= FS_MAKE_REG | FS_REMOVE_FILE | FS_REFER;
	if (access >= SANDBOX_TREE)
		r |= FS_MAKE_DIR | FS_REMOVE_DIR;
	return r;
}

/* landlock_allow - allow something below one path */
int
landlock_allow(struct landlock_rules *l, int dir,
    const struct sandbox_path *path)
{
	const char		*name = path->path[0] == '\0' ? "." :
				    path->path;
	struct path_attr	 attr;
	struct stat		 st;
	int			 r = 0;

	if (l->fd < 0)
		return 0;
	attr.access = rights_of(path->access) & low_bits(rights[l->abi].fs);
	attr.fd = openat(dir, name, O_PATH | O_CLOEXEC);
	if (attr.fd < 0)
		return -errno;
	if (fstat(attr.fd, &st) < 0) {
		r = -errno;
	} else {
		if (!S_ISDIR(st.st_mode))
			attr.access &= FS_OF_FILES;
		if (syscall(SYS_landlock_add_rule, l->fd, RULE_PATH, &attr,
		    0u) < 0)
			r = -errno;
	}
	(void)close(attr.fd);
	return r;
}

/* landlock_enforce - from now on */
int
landlock_enforce(const struct landlock_rules *l)
{
	if (l->fd >= 0 &&
	    syscall(SYS_landlock_restrict_self, l->fd, 0u) < 0)
		return -errno;
	return 0;
}

/* landlock_end - release the ruleset; what is in force stays */
void
landlock_end(struct landlock_rules *l)
{
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
}
