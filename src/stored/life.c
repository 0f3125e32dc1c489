/* SPDX-License-Identifier: ISC */
/* From start to end. */
#include <stdlib.h>
#include <sys/stat.h>

#include "libglobal/ipc_auth.h"
#include "libglobal/ipc_zygote.h"
#include "libutil/alloc.h"
#include "stored/stored.h"

/* stored_prepare - with nothing known yet */
int
stored_prepare(struct daemon *d, struct diag *diag)
{
	struct stored *s = NEW(struct stored);

	(void)diag;
	s->daemon = d;
	list_init(&s->idle);
	list_init(&s->ending);
	list_init(&s->room);
	s->big = NEW(struct big_store);
	big_init(s->big, daemon_loop(d));
	daemon_set_data(d, s);
	(void)umask(007);	/* account processes are of our group */
	return 0;
}

/* stored_run - listen to authd, and end processes that nobody needs */
int
stored_run(struct task *t, struct daemon *d)
{
	struct stored *s = daemon_data(d);

	edge_on_message(daemon_edge(d, "authd", &ipc_table_auth),
	    on_auth_message, s);
	edge_on_message(daemon_edge(d, "accountd", &ipc_table_zygote),
	    on_zygote_message, s);
	task_group_start(daemon_group(d), big_sweep_task, s);
	return children_run(t, s);
}

/* stored_free - its tasks have ended */
void
stored_free(struct stored **s_take)
{
	struct stored *s = *s_take;

	*s_take = NULL;
	entries_free(s);
	free(s->big);
	free(s);
}
