/* SPDX-License-Identifier: ISC */
/* master's own events go to logd like everybody's; while there is no logd
 * they go to standard error. */
#include <unistd.h>

#include "libglobal/ipc_log.h"
#include "libutil/log_wire.h"
#include "master/master.h"

#define PROGRAM		"barid/master"

/* connect_log - an edge to logd, if one can be had now */
static void
connect_log(struct master *m)
{
	struct msg_log_hello	 hello = { S(PROGRAM), S("master"),
				    (uint32_t)getpid() };
	const char		*why;
	int			 fd;

	ipc_close(&m->log_conn);
	if (m->stopping || edge_make(m, S("master"), S("master"), 0, 0,
	    S("logd"), &fd, &why) < 0)
		return;
	ipc_open(&m->log_conn, m->loop, &fd, &ipc_table_log, IPC_CALLER);
	ignore(ipc_post(&m->log_conn, &msg_log_hello_desc, &hello));
}

/* sink - one event of master */
static void
sink(void *arg, const struct log_record *record)
{
	struct master		*m = arg;
	struct buf		 b = BUF_INIT_MAX(LOG_WIRE_MAX);
	struct msg_log_line	 line;
	static bool		 busy;	/* connecting logs too */

	if (!busy && !ipc_is_open(&m->log_conn)) {
		busy = true;
		connect_log(m);
		busy = false;
	}
	log_record_encode(&b, record);
	line.record = buf_slice(&b);
	if (!ipc_is_open(&m->log_conn) || buf_check(&b) < 0 ||
	    ipc_post(&m->log_conn, &msg_log_line_desc, &line) < 0)
		log_sink_stderr(NULL, record);
	buf_free(&b);
}

/* master_log_start - from now on events go to logd */
void
master_log_start(struct master *m)
{
	struct log_setup setup = { .program = PROGRAM, .pid = getpid(),
	    .sink = sink, .sink_arg = m };

	log_start(&setup);
}
