/* SPDX-License-Identifier: ISC */
/*
 * daemon: what every daemon's main does. Master starts a daemon with its end
 * of the control channel as descriptor 3; daemon_main takes the configuration
 * and the listening sockets from it, lets the daemon prepare what needs the
 * rights it was started with, enters the sandbox of its row, and then serves:
 * clients of its listeners and edges that other daemons open to it, a task
 * each. A daemon's own main is a table and one call:
 *
 *	static const struct daemon_spec spec = {
 *		.name = "smtpd",
 *		.params = &smtpd_param_table, .params_size = sizeof(...),
 *		.client = smtpd_client,
 *	};
 *	int main(int argc, char **argv)
 *	{ return daemon_main(argc, argv, &spec); }
 */
#ifndef LIBGLOBAL_DAEMON_H
#define LIBGLOBAL_DAEMON_H

#include <sys/socket.h>

#include "libglobal/edge.h"
#include "libtask/ipc.h"
#include "libtask/task.h"
#include "libutil/arena.h"
#include "libutil/diag.h"
#include "libutil/log.h"

struct conf;
struct daemon;
struct param_table;

/* somebody who calls us, over an edge that master made */
struct daemon_caller {
	struct slice	daemon;		/* "smtpd", "tool", ... */
	struct slice	service;	/* its master.cf service */
	uint32_t	process;	/* its number in this run */
	uint32_t	uid;		/* of a tool's user */
	char		*fault;		/* what it did wrong; DAEMON_FAULT_SIZE
					 * bytes, or NULL */
};
#define DAEMON_FAULT_SIZE	200

/* a client of a listener; ends with it. The descriptor is taken. */
typedef int	daemon_client_fn(struct task *t, struct daemon *d, int *fd_take,
		    const struct sockaddr_storage *peer, const char *listener);
/* one caller's edge, from its first message to its end. fd is taken; the
 * function opens it with the table of that conversation (see edges.def) */
typedef int	daemon_edge_fn(struct task *t, struct daemon *d, int *fd_take,
		    const struct daemon_caller *who);

/* at the end of that function: close the connection, and note what the caller
 * did wrong on it, for the log */
void	daemon_caller_close(const struct daemon_caller *who,
	    struct ipc_conn *c);

struct daemon_spec {
	const char			*name;
	const char			*sandbox;	/* row; NULL: name's */
	const struct param_table	*params;	/* NULL: none */
	size_t				 params_size;	/* of its struct */
	unsigned			 workers;	/* threads; 0: a few */
	bool				 keep_chroot;	/* the zygote only */
	/* before the sandbox, with the rights of the start: open files. */
	int	(*prepare)(struct daemon *d, struct diag *diag);
	/* after it, as a task that lives as long as the daemon; may be NULL.
	 * When it returns the daemon ends. */
	int	(*run)(struct task *t, struct daemon *d);
	daemon_client_fn		*client;	/* NULL: has no listeners */
	daemon_edge_fn			*edge;		/* NULL: nobody calls it */
	/* take a new configuration (daemon_conf is the new one already);
	 * NULL: a new process takes over; daemons.def says it, too */
	int	(*reload)(struct task *t, struct daemon *d);
};

int	daemon_main(int argc, char **argv, const struct daemon_spec *spec);

/* --- what the running daemon knows; all lent */
struct loop	*daemon_loop(struct daemon *d);
const char	*daemon_service(const struct daemon *d);
uint32_t	daemon_process(const struct daemon *d);
const struct conf	*daemon_conf(const struct daemon *d);
/* the struct that belongs to spec->params, filled from the configuration */
const void	*daemon_params(const struct daemon *d);
struct arena	*daemon_arena(struct daemon *d);	/* lives as long as it */
const struct log	*daemon_log(const struct daemon *d);
/* what the daemon keeps for itself between prepare, run and its tasks */
void	*daemon_data(const struct daemon *d);
void	daemon_set_data(struct daemon *d, void *data);
/* clients are served by the group of the daemon; its own long tasks too */
struct task_group	*daemon_group(struct daemon *d);
/* asked to end when the present clients are done? then sessions say so at
 * their next chance (421, BYE) */
bool	daemon_is_draining(const struct daemon *d);
/* and soon: the whole suite ends, no other process takes over */
bool	daemon_is_stopping(const struct daemon *d);
/* a signal that is set when draining begins, for who waits (NULL: none) */
void	daemon_on_drain(struct daemon *d, struct signal *s);
size_t	daemon_clients(const struct daemon *d);
/* around what is asked over an edge and must not be done twice (a delivery): it
 * counts as a client, so that draining waits for its end */
void	daemon_work_begin(struct daemon *d);
void	daemon_work_end(struct daemon *d);
/* how many cleanups qmgr should expect (control: start.peers) */
uint32_t	daemon_peers(const struct daemon *d);
/* called for peer_gone; qmgr only */
void	daemon_on_peer_gone(struct daemon *d, void (*fn)(struct daemon *, uint32_t));
/* called for mishap, with its time; qmgr only */
void	daemon_on_mishap(struct daemon *d, void (*fn)(struct daemon *, int64_t));
/* tell master of a child process, for barid ps; stored only */
void	daemon_note_child(struct daemon *d, uint32_t pid, struct slice name);

/* in prepare, for daemons whose sandbox row has no root folder: also this
 * folder, and what is in it, may be read in the sandbox */
void	daemon_allow_read(struct daemon *d, const char *folder);

/* a reload for daemons that look at daemon_params anew each time */
int	daemon_reload_params(struct task *t, struct daemon *d);

/* --- edges to other daemons (edge.h) */
/* the edge to a daemon, or for agents to a master.cf service; made at the
 * first call and again after it broke. table: that conversation's. Lent. */
struct edge	*daemon_edge(struct daemon *d, const char *callee,
		    const struct ipc_table *table);
/* the bare descriptor of a new edge, for who gives it to a child; of
 * "unix:PATH", for smtp: a connection to that LMTP server, -EPERM if the
 * configuration does not name the path */
MUST_USE int	daemon_connect(struct task *t, struct daemon *d,
		    const char *callee, int *ret_fd);

/* --- a forked child that was made with daemon_new and has entered its
 * sandbox itself: it logs as its parent does, over that edge to logd (taken);
 * connect is asked for a new one when it breaks */
struct sandbox_state;
void	daemon_adopt(struct daemon *d, const struct daemon *parent,
	    int *log_take, const struct sandbox_state *state);

/* --- a daemon without a master, for tests on a simulated loop: conf is lent,
 * connect makes its edges */
struct daemon	*daemon_new(struct loop *l, const struct daemon_spec *spec,
		    const struct conf *conf, edge_connect_fn *connect, void *arg,
		    struct diag *diag);
void	daemon_free(struct daemon **d_take);
/* serve until it is told to end; daemon_end tells it */
MUST_USE int	daemon_serve(struct task *t, struct daemon *d);
void	daemon_end(struct daemon *d);
/* serve this client, as if it had come over a listener */
void	daemon_add_client(struct daemon *d, int *fd_take,
	    const struct sockaddr_storage *peer, const char *listener);
/* serve this caller */
void	daemon_add_caller(struct daemon *d, int *fd_take,
	    const struct daemon_caller *who);

#endif
