/* SPDX-License-Identifier: ISC */
/* What daemon.c, daemon_start.c and daemon_log.c share; nobody else. */
#ifndef LIBGLOBAL_DAEMON_PRIVATE_H
#define LIBGLOBAL_DAEMON_PRIVATE_H

#include "libglobal/daemon.h"
#include "libtask/sandbox.h"
#include "libutil/hash.h"

struct listener;

#define DAEMON_ALLOWED_MAX	64	/* folders of daemon_allow_read */

/* one configuration, and what was made of it */
struct daemon_settings {
	struct conf		*defaults;	/* of the daemon's table */
	struct conf		*top;		/* what counts */
	void			*params;
	struct arena		 arena;
};

struct daemon {
	const struct daemon_spec *spec;
	struct loop		*loop;
	struct task_group	 group;		/* clients, edges, own tasks */
	struct daemon_settings	 now;
	struct daemon_settings	 before;	/* the one before a reload */
	struct arena		 arena;
	struct log		 log;
	struct list		 listeners;
	struct hash		 edges;		/* struct edge, by callee */
	struct ipc_conn		 control;	/* master's; unused in tests */
	struct ipc_conn		 log_conn;
	struct signal		 log_more;	/* something was logged */
	struct signal		 ended;
	struct signal		*drain_signal;
	edge_connect_fn		*connect;
	void			*connect_arg;
	void			(*peer_gone)(struct daemon *, uint32_t);
	void			(*mishap)(struct daemon *, int64_t);
	void			*data;
	struct sandbox_state	 sandbox;
	struct sandbox_path	 allowed[DAEMON_ALLOWED_MAX];
	size_t			 allowed_count;
	char			 service[65];
	char			 program[130];
	uint64_t		 log_lost;	/* events; not yet told */
	uint64_t		 log_unsent;	/* at most so many are queued */
	size_t			 clients;
	size_t			 clients_said;
	struct signal		 load_changed;
	uint32_t		 process;
	uint32_t		 peers;
	bool			 serving;
	bool			 draining;
	bool			 stopping;
	bool			 log_connecting;
};

struct listener {
	struct list	 link;
	struct io	 io;
	struct daemon	*daemon;
	char		*address;
};

/* daemon.c */
MUST_USE int	daemon_settings_load(struct daemon *d, const struct conf *conf,
		    struct diag *diag);
void	daemon_drain(struct daemon *d);
void	daemon_renew_edges(struct daemon *d);
/* daemon_start.c */
MUST_USE int	daemon_control_task(struct task *t, void *arg);
/* daemon_log.c */
void	daemon_log_start(struct daemon *d, int *fd_take, bool verbose);
MUST_USE int	daemon_log_task(struct task *t, void *arg);
void	daemon_log_end(struct daemon *d);

#endif
