/* SPDX-License-Identifier: ISC */
/* What a sandbox is, could be, and is called. */
#include "libtask/sandbox.h"

#include <sys/prctl.h>
#include <unistd.h>

#include "libtask/landlock.h"
#include "libtask/seccomp_filter.h"
#include "libutil/buf.h"

/* sandbox_probe - what could be had here */
struct sandbox_state
sandbox_probe(void)
{
	return (struct sandbox_state){
		.has_user = geteuid() == 0,
		.has_root = sandbox_can_chroot(),
		.has_no_caps = true,
		.has_no_new_privs = true,
		.is_undumpable = true,
		.has_seccomp = seccomp_filter_is_available(),
		.landlock = landlock_abi(),
		.refusals = -1,
	};
}

/* add_word - a word, with a "!" if it does not hold */
static void
add_word(struct buf *out, bool holds, const char *word)
{
	buf_addf(out, "%s%s ", holds ? "" : "!", word);
}

/* sandbox_state_format - one line */
void
sandbox_state_format(struct buf *out, const struct sandbox_state *state)
{
	add_word(out, state->has_user, "user");
	add_word(out, state->has_root, "root");
	add_word(out, state->has_no_caps, "caps");
	add_word(out, state->has_no_new_privs, "no_new_privs");
	add_word(out, state->is_undumpable, "undumpable");
	add_word(out, state->has_seccomp, "seccomp");
	if (state->landlock > 0)
		buf_addf(out, "landlock=%d", state->landlock);
	else
		buf_add_text(out, "!landlock");
}

/* sandbox_root_name - as in the table */
const char *
sandbox_root_name(enum sandbox_root root)
{
	switch (root) {
#define ROOT(name, gist)	case SANDBOX_ROOT_##name: return #name;
#include "libtask/sandbox_roots.def"
	}
	return "?";
}

#if BARID_SANITIZERS
int	__lsan_is_turned_off(void);

/* the leak checker needs /proc and ptrace, which a sandbox takes away */
int
__lsan_is_turned_off(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 0;
}
#endif
