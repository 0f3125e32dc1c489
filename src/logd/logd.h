/* SPDX-License-Identifier: ISC */
/* logd: what its files share. */
#ifndef LOGD_LOGD_H
#define LOGD_LOGD_H

#include "libglobal/daemon.h"
#include "logd/logd_params.h"

struct sink {
	struct daemon	*daemon;
	struct buf	 lines;		/* not yet written */
	struct signal	 more;
	uint64_t	 lost;		/* lines that did not fit; to be told */
	char		 host[256];
	int64_t		 second;	/* that is written out in stamp */
	char		 stamp[32];
	int		 fd;
	bool		 failing;
};

/* logd_write.c */
MUST_USE int	sink_open(struct daemon *d, struct diag *diag);
void	sink_add(struct sink *s, const struct log_record *record);
MUST_USE int	sink_run(struct task *t, struct daemon *d);
MUST_USE int	sink_reload(struct task *t, struct daemon *d);
/* logd_caller.c */
MUST_USE int	caller_serve(struct task *t, struct daemon *d, int *fd_take,
		    const struct daemon_caller *who);

#endif
