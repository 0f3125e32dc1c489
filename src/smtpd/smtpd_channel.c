/* SPDX-License-Identifier: ISC */
/*
 * Channels to cleanup. One carries one message at a time and is kept for the
 * next one when that has ended well; after anything else it is closed, and
 * cleanup forgets what it had.
 */
#include <stdlib.h>

#include "libutil/alloc.h"
#include "smtpd/smtpd.h"

#define IDLE_MAX	32

/* channel_drop - close it; cleanup drops an unfinished message */
void
channel_drop(struct content_channel **take)
{
	struct content_channel *ch = *take;

	*take = NULL;
	if (ch == NULL)
		return;
	ipc_close(&ch->conn);
	free(ch);
}

/* channel_put - keep it for the next message */
void
channel_put(struct smtpd *s, struct content_channel **take)
{
	struct content_channel *ch = *take;

	if (!ipc_is_open(&ch->conn) || s->channel_count >= IDLE_MAX) {
		channel_drop(take);
		return;
	}
	*take = NULL;
	list_add_head(&s->channels, &ch->link);
	s->channel_count++;
}

/* still_open - has cleanup gone since it was put back? */
static bool
still_open(struct content_channel *ch)
{
	char	byte;
	ssize_t	n = recv(ch->conn.io.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n < 0 && errno == EAGAIN;
}

/* channel_get - an idle one, or a fresh pair whose other end cleanup gets */
int
channel_get(struct task *t, struct smtpd *s,
    struct content_channel **ret_channel)
{
	struct msg_content_channel	 m;
	struct content_channel		*ch;
	struct list			*link;
	int				 pair[2], r;

	while ((link = list_take_head(&s->channels)) != NULL) {
		s->channel_count--;
		ch = CONTAINER_OF(link, struct content_channel, link);
		if (still_open(ch)) {
			*ret_channel = ch;
			return 0;
		}
		channel_drop(&ch);
	}
	if ((r = fd_pair(pair)) < 0)
		return r;
	m.fd = pair[1];
	r = edge_send(t, daemon_edge(s->daemon, "cleanup", &ipc_table_content),
	    &msg_content_channel_desc, &m);
	fd_close(&pair[1]);
	if (r < 0) {
		fd_close(&pair[0]);
		return r;
	}
	ch = NEW(struct content_channel);
	list_init(&ch->link);
	ipc_open(&ch->conn, daemon_loop(s->daemon), &pair[0],
	    &ipc_table_content, IPC_CALLER);
	*ret_channel = ch;
	return 0;
}
