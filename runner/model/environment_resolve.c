/* environment_resolve.c - addresses of hosts that the files name only. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "environment.h"
#include "transport.h"

#define RESOLVE_TIMEOUT_NS (5 * NS_PER_S)

bool environment_resolve(struct Environment *environment, struct Err *err)
{
    struct Target *const *hosts = environment->hosts.items;
    for (size_t at = 0; at < environment->hosts.count; at++) {
        struct Target *host = hosts[at];
        if (host->address != NULL || host->reach->address == NULL)
            continue;
        struct Mono deadline = mono_add(mono_now(), RESOLVE_TIMEOUT_NS);
        if (!host->reach->address(host->reach_config, host, deadline, environment->arena,
                                  &host->address, err))
            return false;
    }
    return true;
}
