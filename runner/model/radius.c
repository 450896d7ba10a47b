/* radius.c - how much of each role a fault touches, and what is left of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "radius.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "../base/text.h"

/* One form for all that is written for an address: IPv4 as IPv6 writes it. False: it is a name. */
static bool address_bytes(const char *address, unsigned char out[16])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    memcpy(out, mapped, sizeof mapped);
    return inet_pton(AF_INET, address, out + sizeof mapped) == 1 ||
           inet_pton(AF_INET6, address, out) == 1;
}

/* Many machines may stand behind it. */
static bool is_loopback(const char *address)
{
    static const unsigned char six[16] = {[15] = 1};
    unsigned char bytes[16];
    if (!address_bytes(address, bytes))
        return strcasecmp(address, "localhost") == 0;
    bool mapped = bytes[10] == 0xff && bytes[11] == 0xff;
    return (mapped && bytes[12] == 127) || memcmp(bytes, six, sizeof six) == 0;
}

static bool same_address(const char *a, const char *b)
{
    unsigned char left[16], right[16];
    bool numbers = address_bytes(a, left);
    if (numbers != address_bytes(b, right))
        return false;
    return numbers ? memcmp(left, right, sizeof left) == 0 : strcasecmp(a, b) == 0;
}

bool machine_same(const struct Target *a, const struct Target *b)
{
    return a == b || (a->address != NULL && b->address != NULL && !is_loopback(a->address) &&
                      same_address(a->address, b->address));
}

bool machine_forbidden(const struct Environment *environment, const struct Target *host)
{
    const char *const *names = environment->limits.forbidden_hosts.items;
    for (size_t at = 0; at < environment->limits.forbidden_hosts.count; at++)
        if (machine_same(environment_host(environment, names[at]), host))
            return true;
    return false;
}

static bool shares_machine(const struct Role *a, const struct Role *b)
{
    for (size_t at = 0; at < a->host_count; at++)
        for (size_t k = 0; k < b->host_count; k++)
            if (machine_same(a->hosts[at], b->hosts[k]))
                return true;
    return false;
}

void radius_beside(const struct Environment *environment, const struct List *drilled,
                   struct Arena *arena, struct List *out)
{
    const struct KeepHealthy *keep = environment->limits.keep.items;
    const struct Role *roles = environment->roles.items;
    const struct Role *const *rows = drilled->items;
    for (size_t at = 0; at < environment->roles.count; at++) {
        bool wanted = false, known = false;
        for (size_t k = 0; k < drilled->count; k++) {
            wanted = wanted || shares_machine(rows[k], &roles[at]);
            known = known || rows[k] == &roles[at];
        }
        for (size_t k = 0; k < environment->limits.keep.count; k++)
            wanted = wanted || text_equal(keep[k].role, roles[at].name);
        if (wanted && !known)
            *(const struct Role **)list_add(out, arena, sizeof(void *)) = &roles[at];
    }
}

static bool is_touched(const struct RadiusInput *input, const struct Target *host)
{
    const struct Target *const *touched = input->touched.items;
    for (size_t at = 0; at < input->touched.count; at++)
        if (machine_same(touched[at], host))
            return true;
    return false;
}

static enum Known health_of(const struct RadiusInput *input, const struct Role *role, size_t index)
{
    const struct RoleHealth *healths = input->healths.items;
    for (size_t at = 0; at < input->healths.count; at++)
        if (healths[at].role == role)
            return healths[at].healthy[index];
    return KNOWN_UNKNOWN;
}

struct RoleLeft radius_role(const struct RadiusInput *input, const struct Role *role)
{
    struct RoleLeft row = {.role = role};
    for (size_t at = 0; at < role->host_count; at++) {
        enum Known healthy = health_of(input, role, at);
        if (is_touched(input, role->hosts[at])) {
            row.touched++;
        } else if (healthy == KNOWN_YES) {
            row.left++;
        } else if (row.doubt == NULL) {
            row.doubt = role->hosts[at];
            row.doubted = healthy;
        }
    }
    return row;
}

void radius_measure(const struct RadiusInput *input, struct Arena *arena, struct Radius *out)
{
    const struct Target *const *touched = input->touched.items;
    *out = (struct Radius){.machines = 0};
    for (size_t at = 0; at < input->touched.count; at++) {
        bool counted = false;
        for (size_t before = 0; before < at; before++)
            counted = counted || machine_same(touched[before], touched[at]);
        out->machines += counted ? 0 : 1;
    }
    const struct Role *roles = input->environment->roles.items;
    for (size_t at = 0; at < input->environment->roles.count; at++) {
        struct RoleLeft row = radius_role(input, &roles[at]);
        if (row.touched > 0)
            *(struct RoleLeft *)list_add(&out->roles, arena, sizeof row) = row;
    }
}

void radius_carried(const struct RadiusInput *input, const struct Target *host,
                    const struct Role *except, struct Buf *out)
{
    const struct Role *roles = input->environment->roles.items;
    for (size_t at = 0; at < input->environment->roles.count; at++) {
        bool carries = false;
        for (size_t k = 0; &roles[at] != except && k < roles[at].host_count; k++)
            carries = carries || machine_same(roles[at].hosts[k], host);
        if (carries)
            buf_printf(out, "%s%s (%zu of %zu left)", out->size > 0 ? ", " : "", roles[at].name,
                       radius_role(input, &roles[at]).left, roles[at].host_count);
    }
}
