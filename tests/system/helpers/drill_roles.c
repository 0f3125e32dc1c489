/* SPDX-License-Identifier: ISC */
/*
 * Which conversation a descriptor carries. Nothing on a socket says so; but
 * every one came in a message that does, so all that the daemon receives is
 * looked at on its way, from its first message on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "drill.h"
#include "libglobal/edges.h"
#include "libglobal/ipc_account.h"
#include "libglobal/ipc_auth.h"
#include "libglobal/ipc_bounce.h"
#include "libglobal/ipc_content.h"
#include "libglobal/ipc_control.h"
#include "libglobal/ipc_deliver.h"
#include "libglobal/ipc_delivery.h"
#include "libglobal/ipc_front.h"
#include "libglobal/ipc_log.h"
#include "libglobal/ipc_store.h"
#include "libglobal/ipc_zygote.h"

static struct drill_role	roles[DRILL_FDS];

/* a descriptor in a message is one end of another conversation */
static const struct pass {
	const struct ipc_table	*in;
	uint16_t		 number;
	int			 which;		/* of its descriptors */
	const struct ipc_table	*table;
	bool			 we_call;
	const char		*peer;
} passes[] = {
	{ &ipc_table_control, MSG_start, 1, &ipc_table_log, true, "logd" },
	{ &ipc_table_content, MSG_content_channel, 0, &ipc_table_content,
	  false, "channel" },
	{ &ipc_table_store, MSG_store_session, 0, &ipc_table_front, false,
	  "front" },
	{ &ipc_table_store, MSG_store_resume, 0, &ipc_table_front, false,
	  "front" },
	{ &ipc_table_store, MSG_store_channel, 0, &ipc_table_deliver, true,
	  "account" },
	{ &ipc_table_zygote, MSG_zygote_fork, 0, &ipc_table_account, false,
	  "stored" },
	{ &ipc_table_zygote, MSG_zygote_fork, 1, &ipc_table_log, true, "logd" },
	{ &ipc_table_account, MSG_account_delivery, 0, &ipc_table_deliver,
	  false, "lmtpd" },
	{ &ipc_table_account, MSG_account_session, 0, &ipc_table_front, false,
	  "front" },
	{ &ipc_table_account, MSG_account_log_fd, 0, &ipc_table_log, true,
	  "logd" },
};

void
drill_role_set(int fd, const struct ipc_table *table, bool we_call,
    const char *peer)
{
	if (fd >= 0 && fd < DRILL_FDS)
		roles[fd] = (struct drill_role){ table, peer, we_call };
}

/* drill_role - NULL: not known */
const struct drill_role *
drill_role(int fd)
{
	return fd < 0 || fd >= DRILL_FDS || roles[fd].table == NULL ? NULL :
	    &roles[fd];
}

/* called - master says: somebody may call you over this */
static void
called(struct slice body, int fd)
{
	struct slice caller = drill_field(body, 1);
	const char *me = program_invocation_short_name;

	if (strcmp(me, "logd") == 0) {
		drill_role_set(fd, &ipc_table_log, false, "anybody");
		return;
	}
	for (const struct edge_row *e = edges_table; e->caller != NULL; e++)
		if (strcmp(e->callee, me) == 0 &&
		    slice_equal(slice_of(e->caller), caller))
			drill_role_set(fd, e->table, false, e->caller);
}

/* learn_frame - one message with its descriptors */
static void
learn_frame(const struct ipc_table *table, const struct drill_head *h,
    struct slice body, const int *fds, int n)
{
	if (table == &ipc_table_control && h->number == MSG_edge && n > 0)
		called(body, fds[0]);
	for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) {
		const struct pass *p = &passes[i];

		if (p->in == table && p->number == h->number && p->which < n)
			drill_role_set(fds[p->which], p->table, p->we_call,
			    p->peer);
	}
}

int
drill_received(const struct msghdr *m, int *fds, int room)
{
	int n = 0;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL;
	    h = CMSG_NXTHDR((struct msghdr *)(uintptr_t)m, h)) {
		size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count && n < room; i++)
			memcpy(&fds[n++], CMSG_DATA(h) + i * sizeof(int),
			    sizeof(int));
	}
	return n;
}

/* drill_learn - look at what a receive call has brought. A frame that came in
 * two pieces is passed over: those with descriptors are short. */
void
drill_learn(int fd, const struct msghdr *m, size_t len)
{
	const struct drill_role	*role = drill_role(fd);
	const struct ipc_table	*table = role == NULL ? NULL : role->table;
	const char		*data = m->msg_iov[0].iov_base;
	struct drill_head	 h;
	int			 fds[64], n, at = 0;

	n = drill_received(m, fds, 64);
	for (int i = 0; i < n; i++)
		drill_role_set(fds[i], NULL, false, NULL);
	if (table == NULL && fd == 3 && !drill_is_child())
		table = &ipc_table_control;
	if (table == NULL || len > m->msg_iov[0].iov_len)
		return;
	while (n > at && drill_parse_head(data, len, &h) &&
	    h.length <= len - DRILL_HEAD) {
		int count = h.fd_count < n - at ? h.fd_count : n - at;

		learn_frame(table, &h, slice_over(data + DRILL_HEAD, h.length),
		    fds + at, count);
		at += count;
		data += DRILL_HEAD + h.length;
		len -= DRILL_HEAD + h.length;
	}
}
