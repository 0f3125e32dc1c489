/* SPDX-License-Identifier: ISC */
/*
 * master: what its files share. master owns the listening sockets and the
 * processes; it reads the configuration, and no byte from a stranger.
 */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

#include <sys/types.h>

#include "libglobal/daemons.h"
#include "libglobal/mastercf.h"
#include "libtask/ipc.h"
#include "libutil/diag.h"
#include "libutil/log.h"
#include "master/master_params.h"

struct buf;
struct conf;
struct service;

/* a listening socket of a service */
struct listener_fd {
	struct list	 link;
	char		*address;
	int		 fd;
};

/* one process of a service */
struct process {
	struct list		 link;		/* in its service */
	struct master		*master;
	struct service		*service;	/* NULL: it only drains */
	const struct daemon_row	*daemon;
	char			*service_name;
	struct ipc_conn		 control;
	struct list		 children;	/* struct child, for ps */
	int			 said_fd;	/* its standard error */
	pid_t			 pid;
	uint32_t		 number;
	uint32_t		 generation;
	uint32_t		 clients;
	int64_t			 started;	/* us since 1970 */
	bool			 ready;
	bool			 draining;
	bool			 seccomp;
	bool			 chrooted;
	uint32_t		 landlock;
	char			 note[501];
};

/* one row of master.cf that runs something, or an internal service */
struct service {
	struct list		 link;
	char			*name;
	enum mastercf_type	 type;
	const struct daemon_row	*daemon;
	char			*syslog_name;
	const char		*program;	/* its name in the log */
	struct list		 listeners;
	struct list		 processes;
	int			 conf_fd;	/* sealed snapshot */
	unsigned		 limit;		/* processes */
	bool			 limit_default;	/* default_process_limit */
	bool			 verbose;
	bool			 is_public;	/* on a socket of its name */
	int64_t			 pause;		/* ms before the next start */
	int64_t			 not_before;	/* loop ms */
	bool			 restart_waits;	/* a task will start it */
};

struct master {
	struct loop		*loop;
	struct task_group	 group;
	struct log		 log;
	struct arena		 arena;		/* of the present configuration */
	struct conf		*defaults;
	struct conf		*conf;
	struct master_params	 params;
	const char		*config_directory;
	struct list		 services;
	struct list		 leaving;	/* processes of no service */
	struct ipc_conn		 log_conn;
	struct signal		 ended;
	struct signal		 changed;	/* what notify_task tells */
	const char		*notify_socket;	/* NULL: nobody listens */
	const char		*end_reason;
	int64_t			 reload_began;	/* us since boot; 0: told */
	int			 public_fd;	/* for tools */
	int			 signal_fd;
	uint32_t		 generation;
	uint32_t		 last_process;
	bool			 sandbox;
	bool			 stopping;
	bool			 reload_failed;
};

/* master_conf.c */
MUST_USE int	master_configure_paths(struct master *m, struct diag *diag);
MUST_USE int	master_configure(struct master *m, struct diag *diag);
const char	*master_path(struct master *m, const char *param);
MUST_USE int	master_sealed_conf(const struct conf *c, int *ret_fd);
/* master_service.c */
void	service_free(struct service *s);
MUST_USE int	services_build(struct master *m, const struct mastercf *cf,
		    const struct conf *conf, struct list *ret_services,
		    struct diag *diag);
void	services_swap(struct master *m, struct list *services);
struct service	*service_find(struct master *m, struct slice name, bool inet);
void	services_missing(struct master *m, struct buf *out);
/* master_listen.c */
MUST_USE int	service_listen(struct master *m, struct service *s,
		    const struct conf *conf, struct diag *diag);
MUST_USE int	listen_public(struct master *m, const char *path, mode_t mode,
		    int *ret_fd, struct diag *diag);
/* master_process.c */
struct process	*process_start(struct master *m, struct service *s);
void	process_reap(struct master *m);
void	process_stop(struct process *p, uint32_t limit);
void	process_drain(struct process *p, uint32_t limit);
struct process	*service_pick(struct master *m, struct service *s);
void	services_start(struct master *m);
void	processes_free(struct list *processes);
void	process_released(struct process *p);
void	process_note_child(struct process *p, uint32_t pid, struct slice name);
bool	process_next_child(struct process *p, struct list **at,
	    uint32_t *ret_pid, const char **ret_name);
size_t	master_process_count(struct master *m);
/* master_edge.c */
MUST_USE int	edge_make(struct master *m, struct slice caller,
		    struct slice caller_service, uint32_t number, uint32_t uid,
		    struct slice callee, int *ret_fd, const char **ret_why);
/* master_socket.c: -EPERM: the configuration does not name that path */
MUST_USE int	socket_connect(struct master *m, const struct process *p,
		    struct slice path, int *ret_fd);
/* master_control.c */
MUST_USE int	process_control_task(struct task *t, void *arg);
MUST_USE int	process_said_task(struct task *t, void *arg);
/* master_tool.c */
MUST_USE int	tool_accept_task(struct task *t, void *arg);
/* master_layout.c */
MUST_USE int	layout_make(struct master *m, struct diag *diag);
void	layout_user_of(struct master *m, const char *daemon, uid_t *ret_uid,
	    gid_t *ret_gid);
void	layout_root_of(struct master *m, const char *daemon, struct buf *out);
/* master_notify.c */
MUST_USE int	notify_task(struct task *t, void *arg);
void	notify_reload(struct master *m);
/* master_log.c */
void	master_log_start(struct master *m);
/* master.c */
MUST_USE int	master_reload(struct master *m, struct diag *diag);
void	master_end(struct master *m, const char *why);

#endif
