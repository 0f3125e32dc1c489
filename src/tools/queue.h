/* SPDX-License-Identifier: ISC */
/*
 * queue: what barid queue, mailq and postqueue do: through qmgr while the
 * suite runs; lists and messages out of the queue's files while it does not.
 */
#ifndef TOOLS_QUEUE_H
#define TOOLS_QUEUE_H

#include "libglobal/ipc_queue_admin.h"
#include "tools/tool.h"

enum queue_form {
	QUEUE_MAILQ,		/* as mailq prints it */
	QUEUE_JSON,		/* as postqueue -j: an object a line */
};

/* each entry, in order of id; false of the first call: there was none */
typedef void	queue_entry_fn(void *arg, const struct msg_queue_entry *e);

/* these say what is wrong themselves and return an exit status */
int	queue_list(struct tool *tool, enum queue_form form);
int	queue_show(struct tool *tool, const char *id);
/* a change; where: a message's id, or ALL; then with the name of a queue or
 * a site, or "" */
int	queue_do(struct tool *tool, const char *verb, const char *id,
	    const char *queue, const char *site, uint64_t *ret_count);

/* --- queue_stopped.c: the files of a queue that no qmgr has open */
int	queue_stopped_list(struct tool *tool, queue_entry_fn *each, void *arg);
int	queue_stopped_show(struct tool *tool, const char *id);
/* --- queue_print.c */
struct queue_printer {
	enum queue_form	form;
	uint64_t	count;
	uint64_t	bytes;
};
void	queue_print(void *printer, const struct msg_queue_entry *e);
void	queue_print_end(const struct queue_printer *p);
/* write a message out; base: where its content begins in fd */
MUST_USE int	queue_print_message(struct tool *tool, struct slice envelope,
		    int fd, uint64_t base);

#endif
