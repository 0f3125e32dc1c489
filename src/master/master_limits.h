/* SPDX-License-Identifier: ISC */
/* master_limits: what all daemons inherit; to be raised before the first is
 * started. */
#ifndef MASTER_MASTER_LIMITS_H
#define MASTER_MASTER_LIMITS_H

void	master_raise_limits(void);

#endif
