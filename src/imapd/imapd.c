/* SPDX-License-Identifier: ISC */
/* imapd: the front of IMAP. See barid-imapd(8). */
#include <sys/resource.h>

#include "imapd/front_client.h"
#include "libglobal/ipc_store.h"
#include "libtask/tls.h"
#include "libutil/alloc.h"

/* prepare - with no client yet; TLS reads files */
static int
prepare(struct daemon *d, struct diag *diag)
{
	struct imapd	*im = NEW(struct imapd);
	struct rlimit	 files;

	(void)diag;
	im->daemon = d;
	im->ids.process = daemon_process(d);
	list_init(&im->clients);
	daemon_set_data(d, im);
	tls_library_init();
	/* some clients are awake, and there are edges */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 &&
	    files.rlim_cur != RLIM_INFINITY)
		im->client_max = files.rlim_cur - files.rlim_cur / 8;
	return 0;
}

/* tell_clients - that the process drains: whoever has nothing to lose goes */
static void
tell_clients(struct imapd *im)
{
	LIST_EACH(&im->clients, link)
		signal_set(&CONTAINER_OF(link, struct front, link)->event);
}

/* watch_task - see front_sleep.c */
static int
watch_task(struct task *t, void *arg)
{
	return front_watch_store(t, arg);
}

/* run - until the daemon ends */
static int
run(struct task *t, struct daemon *d)
{
	struct imapd	*im = daemon_data(d);
	struct signal	 drain = SIGNAL_INIT;
	int		 r;

	edge_on_message(daemon_edge(d, "stored", &ipc_table_store),
	    front_on_store, im);
	task_group_start(daemon_group(d), watch_task, im);
	daemon_on_drain(d, &drain);
	while ((r = signal_wait(t, &drain)) == 0)
		tell_clients(im);
	daemon_on_drain(d, NULL);
	return r;
}

static const struct daemon_spec spec = {
	.name = "imapd",
	.params = &imapd_param_table,
	.params_size = sizeof(struct imapd_params),
	.workers = 1,
	.prepare = prepare,
	.run = run,
	.client = front_client,
};

/* main - see daemon.h */
int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &spec);
}
