/* reply.c - what the kinds of probe share: who answered, and fields of `ok`. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

#include "../runner/base/text.h"

const struct Target *role_host_at(const struct Role *role, const char *address)
{
    for (size_t n = 0; n < role->host_count; n++)
        if (text_equal(target_address(role->hosts[n]), address))
            return role->hosts[n];
    return NULL;
}
