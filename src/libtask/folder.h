/* SPDX-License-Identifier: ISC */
/*
 * folder: names that survive a power cut. A new, renamed or removed name is
 * safe once its folder was flushed. Synchronous; in a daemon for code that
 * runs as a work item or before the loop does.
 */
#ifndef LIBTASK_FOLDER_H
#define LIBTASK_FOLDER_H

#include "libutil/slice.h"

/* flush the names in a folder: a path from another one's descriptor, "." is
 * that one itself */
MUST_USE int	folder_sync(int dir_fd, const char *path);
/* flush the names in the folder that a path's last name is in */
MUST_USE int	folder_sync_of(const char *path);

#endif
