/* SPDX-License-Identifier: ISC */
/*
 * From fork to an account process: keep two descriptors, go into the account's
 * folder, narrow the sandbox, and begin anew with a loop of its own. Nothing
 * of the zygote's loop may run here, so the process ends without coming back.
 */
#include <stdio.h>
#include <unistd.h>

#include "accountd/accountd.h"
#include "accountd/accountd_events.h"
#include "libglobal/ipc_account.h"
#include "libglobal/sandbox_rows.h"
#include "libtask/loop.h"

#define WORKERS	3	/* one writes, two may read from packs */

static const struct daemon_spec spec = {
	.name = "accountd",
	.params = &accountd_param_table,
	.params_size = sizeof(struct accountd_params),
	.run = process_run,
};

/* give_up - say why on standard error, which master logs */
static void __attribute__((noreturn))
give_up(const struct diag *diag, int r)
{
	dprintf(2, "account process: fatal: %s\n",
	    diag->text[0] != '\0' ? diag->text : strerror(-r));
	_exit(1);
}

/* enter - into the folder, with nothing but the two descriptors */
static int
enter(const struct child_setup *setup, struct sandbox_state *ret_state,
    struct diag *diag)
{
	const int		keep[] = {
	    setup->control < setup->log ? setup->control : setup->log,
	    setup->control < setup->log ? setup->log : setup->control };
	struct sandbox_request	req = {
		.row = sandbox_row_find(S("accountd")),
		.root = setup->folder,
		.root_fd = -1,
		.filter = setup->filter,
		.keep = keep,
		.keep_count = COUNT(keep),
	};

	return sandbox_enter(&req, ret_state, diag);
}

/* warn - an administrator should know that the walls are missing */
static void
warn(const struct account_process *ap)
{
	const struct sandbox_state *s = &ap->sandbox;
	struct buf	text = BUF_INIT;

	if (s->has_root || s->landlock > 0)
		return;
	sandbox_state_format(&text, s);
	log_event(daemon_log(ap->daemon), EV_ACCOUNT_NOT_CONFINED,
	    KV_STR("state", buf_slice(&text)));
	buf_free(&text);
}

/* serve - the daemon's tasks */
static int
serve(struct task *t, void *arg)
{
	return daemon_serve(t, arg);
}

/* child_main - be an account process */
void
child_main(const struct child_setup *setup)
{
	struct loop_options	 o = { .workers = WORKERS };
	struct diag		 diag = DIAG_INIT;
	struct sandbox_state	 state;
	struct account_process	*ap;
	struct loop		*l;
	struct daemon		*d;
	int			 control = setup->control, log = setup->log, r;

	if ((r = enter(setup, &state, &diag)) < 0)
		give_up(&diag, r);
	l = loop_new(&o);
	ap = process_new();
	ap->sandbox = state;
	d = daemon_new(l, &spec, daemon_conf(setup->zygote), process_connect,
	    ap, &diag);
	if (d == NULL)
		give_up(&diag, -EINVAL);
	process_attach(ap, d);
	if ((r = param_load(&imap_session_param_table, daemon_conf(d),
	    daemon_arena(d), &ap->imap_params, &diag)) < 0)
		give_up(&diag, r);
	ipc_open(&ap->control, l, &control, &ipc_table_account, IPC_CALLEE);
	daemon_adopt(d, setup->zygote, &log, &state);
	warn(ap);
	r = loop_run(l, serve, d);
	process_free(&ap);
	daemon_free(&d);
	_exit(r < 0 && r != -ECANCELED ? 1 : 0);
}
