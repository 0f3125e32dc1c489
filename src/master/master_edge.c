/* SPDX-License-Identifier: ISC */
/*
 * An edge is a fresh socket pair: one end goes to the callee over its control
 * channel, the other back to who asked. What is not a row of edges.def is
 * refused, whoever asks.
 */
#include "libglobal/edges.h"
#include "libglobal/ipc_control.h"
#include "master/master.h"

/* target - the service that is meant: by its name, else by its daemon */
static struct service *
target(struct master *m, struct slice callee)
{
	struct service *s = service_find(m, callee, false);

	if (s != NULL)
		return s;
	LIST_EACH(&m->services, link) {
		s = CONTAINER_OF(link, struct service, link);
		if (slice_equal(slice_of(s->daemon->name), callee))
			return s;
	}
	return NULL;
}

/* allowed - is there a row for these two? */
static bool
allowed(struct slice caller, const struct service *s)
{
	if (strcmp(s->daemon->name, "logd") == 0 &&
	    !slice_equal(caller, S("tool")))
		return true;	/* every daemon writes its log */
	return edges_find(caller, slice_of(s->daemon->name)) != NULL;
}

/* edge_make - connect two processes; the caller's end is returned */
int
edge_make(struct master *m, struct slice caller, struct slice caller_service,
    uint32_t number, uint32_t uid, struct slice callee, int *ret_fd,
    const char **ret_why)
{
	struct service	*s = target(m, callee);
	struct process	*p;
	struct msg_edge	 e = { -1, caller, caller_service, number, uid };
	int		 pair[2], r;

	if (s == NULL || !allowed(caller, s)) {
		*ret_why = s == NULL ? "nothing by that name exists" :
		    "no edge between these two is in the table";
		return -EPERM;
	}
	if ((p = service_pick(m, s)) == NULL) {
		*ret_why = "it cannot be started now";
		return -EAGAIN;
	}
	if ((r = fd_pair(pair)) < 0) {
		*ret_why = "no descriptor is left";
		return r;
	}
	e.fd = pair[1];
	r = ipc_post(&p->control, &msg_edge_desc, &e);
	fd_close(&pair[1]);
	if (r < 0) {
		fd_close(&pair[0]);
		*ret_why = "its control channel is broken";
		return r;
	}
	*ret_fd = pair[0];
	return 0;
}
