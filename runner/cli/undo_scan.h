/* undo_scan.h - `undo --scan`: asks hosts for our marks. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_UNDO_SCAN_H
#define FD_CLI_UNDO_SCAN_H

#include "drill.h"

/* Its exit status: 6 where a mark was found, or somebody could not be asked. */
int undo_by_scan(struct Drill *drill);

#endif
