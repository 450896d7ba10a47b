/* undo_scan.h - `undo --scan`: asks hosts for our marks. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_UNDO_SCAN_H
#define FD_CLI_UNDO_SCAN_H

#include "drill.h"

/* Behind `targets` (of const struct Target *): hosts of kept runs that the environment does not
 * name as they were; `kept` has those, of const struct KeptHost *. False: they cannot be read,
 * which was said. */
bool scan_add_kept(const struct Drill *drill, struct List *targets, struct List *kept);
/* A line for each role whose hosts nobody knows now; how many there are. */
size_t scan_say_open(const struct Drill *drill, struct Buf *out);
/* Its exit status: 6 where a mark was found, or somebody could not be asked. */
int undo_by_scan(struct Drill *drill);

#endif
