/* icmp.h - one echo request, and its reply. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_ICMP_H
#define FD_CLIENTS_ICMP_H

#include "call.h"

/* By a ping socket (Linux icmp(7), IPv4 and IPv6), which needs no privilege where the kernel allows
 * it. A name is resolved anew each time, and its best address asked, once. */
struct Call *icmp_call(struct Loop *loop, const char *host, struct Mono deadline, CallDone *done,
                       void *data);
/* NULL, or why this process may not ask; static. */
const char *icmp_missing(void);

#endif
