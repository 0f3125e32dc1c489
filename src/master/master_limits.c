/* SPDX-License-Identifier: ISC */
/*
 * Limits that every daemon inherits. A daemon's sandbox row lowers them to
 * what it needs and can never raise them again, so this is the place.
 */
#include <sys/resource.h>

#include "libglobal/process_limits.h"
#include "libutil/size.h"
#include "master/master_limits.h"

/* master_raise_limits - as many descriptors as the system gives */
void
master_raise_limits(void)
{
	struct rlimit	l, all = { FILES_WANTED, FILES_WANTED };

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return;
	/* root may raise the hard limit, too, unless it was confined */
	if (l.rlim_max < FILES_WANTED && setrlimit(RLIMIT_NOFILE, &all) == 0)
		return;
	l.rlim_cur = l.rlim_max < FILES_WANTED ? l.rlim_max : FILES_WANTED;
	ignore(setrlimit(RLIMIT_NOFILE, &l));	/* fewer clients, then */
}
