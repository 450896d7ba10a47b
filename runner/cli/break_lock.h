/* break_lock.h - takes the locks of an environment away from who will not give them back. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLI_BREAK_LOCK_H
#define FD_CLI_BREAK_LOCK_H

#include "drill.h"

/* Names every holder. Refused while one is seen to live, or left faults behind; else asks for the
 * environment's name. Returns the exit status. */
int break_lock(struct Drill *drill);

#endif
