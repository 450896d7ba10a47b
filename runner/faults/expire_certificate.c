/* expire_certificate.c - a certificate like the old one, but for its date, is mounted over it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <inttypes.h>

#include "files.h"
#include "kinds.h"

struct ExpireConfig {
    const struct Node *target;
    const char *path, *private_key, *ca, *ca_key, *reload;
    int64_t port;
};

static void expire_check(const void *record, const struct Node *node, struct Decode *decode);
static bool expire_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                        struct Procedure *out, struct Err *err);

static const struct Field expire_fields[] = {
    {.name = "target",
     .type = FIELD_ANY,
     .offset = offsetof(struct ExpireConfig, target),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "victim",
     .doc = "On which machines: the name of a target, or a target written in place."},
    {.name = "path",
     .type = FIELD_TEXT,
     .offset = offsetof(struct ExpireConfig, path),
     .flags = FIELD_REQUIRED,
     .example = "/etc/shop/tls/fullchain.pem",
     .doc = "The PEM file of the certificate; the first one in it expires, the rest stays."},
    {.name = "private_key",
     .type = FIELD_TEXT,
     .offset = offsetof(struct ExpireConfig, private_key),
     .example = "/etc/shop/tls/privkey.pem",
     .doc = "Its private key on the host; default: in the same file."},
    {.name = "ca",
     .type = FIELD_TEXT,
     .offset = offsetof(struct ExpireConfig, ca),
     .example = "/etc/shop/ca/ca.pem",
     .doc = "The certificate of its issuer on the host, with `ca_key`; without them the expired "
            "one is signed by itself, and some clients will name that first."},
    {.name = "ca_key",
     .type = FIELD_TEXT,
     .offset = offsetof(struct ExpireConfig, ca_key),
     .example = "/etc/shop/ca/ca.key",
     .doc = "The private key of the issuer, on the host."},
    {.name = "port",
     .type = FIELD_INT,
     .offset = offsetof(struct ExpireConfig, port),
     .flags = FIELD_UNSET,
     .min = 1,
     .max = 65535,
     .example = "443",
     .doc = "Where the service answers TLS on that host: the proof is then a handshake as well."},
    {.name = "reload",
     .type = FIELD_TEXT,
     .offset = offsetof(struct ExpireConfig, reload),
     .flags = FIELD_SCRIPT,
     .example = "systemctl reload nginx",
     .doc = RELOAD_DOC},
    {.name = NULL}};

const struct FaultKind expire_certificate_fault = {
    .name = "expire_certificate",
    .summary = "a certificate has expired",
    .reversal = REVERSAL_UNDO,
    .config = {.name = "expire_certificate",
               .doc = "A certificate with the same subject, names and key, expired yesterday, is "
                      "mounted over the file, which itself is not touched.",
               .size = sizeof(struct ExpireConfig),
               .fields = expire_fields,
               .check = expire_check},
    .plan = expire_plan,
};

static void expire_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct ExpireConfig *config = record;
    files_check_path(node, "path", config->path, decode);
    const struct {
        const char *key, *path;
    } more[] = {
        {"private_key", config->private_key}, {"ca", config->ca}, {"ca_key", config->ca_key}};
    for (size_t i = 0; i < COUNT_OF(more); i++)
        if (more[i].path != NULL)
            files_check_source(node, more[i].key, more[i].path, decode);
    if ((config->ca == NULL) != (config->ca_key == NULL))
        problems_say(
            decode->problems, ERR_RULE, node_get(node, config->ca ? "ca" : "ca_key")->where,
            "leave both out, and the expired certificate is signed by itself",
            "`%s` stands without `%s`", config->ca ? "ca" : "ca_key", config->ca ? "ca_key" : "ca");
}

/* Where the host itself may ask its service: some listen on one address alone. */
static const char *address_of(const struct Target *target, struct Arena *arena)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    const char *address = target->address != NULL ? target->address : "";
    if (inet_pton(AF_INET, address, bytes) == 1)
        return address;
    if (inet_pton(AF_INET6, address, bytes) == 1)
        return arena_printf(arena, "[%s]", address);
    return "";
}

static bool expire_plan(const void *data, const struct PlanInput *input, struct Arena *arena,
                        struct Procedure *out, struct Err *err)
{
    const struct ExpireConfig *config = data;
    struct Procedure procedure = procedure_of(input, CLASS_REBOOT);
    const char *const sources[] = {config->private_key, config->ca, config->ca_key};
    const char *from[COUNT_OF(sources)], *path = config->path;
    if (!files_path_is_good(path, input, err))
        return false;
    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        from[i] = sources[i] != NULL ? sources[i] : "";
        if (sources[i] != NULL && !files_source_is_good(sources[i], input, err))
            return false;
    }
    const char *port = "", *reload = config->reload != NULL ? config->reload : "";
    if (config->port != FIELD_NOT_GIVEN)
        port = arena_printf(arena, "%" PRId64, config->port);
    const char *address = address_of(input->target, arena);
    commands_add(&procedure.save, arena, "make a certificate like this one, expired yesterday", 30,
                 "sh", "service", "file", "expired", path, files_kept, from[0], from[1], from[2],
                 port, address, NULL);
    commands_add(&procedure.apply, arena, arena_printf(arena, "mount it over %s", path), 60, "sh",
                 "service", "file", "over", path, reload, NULL);
    commands_add(&procedure.in_place, arena, "who reads or asks for it finds the expired one", 20,
                 "sh", "service", "file", "expired_place", path, port, address, NULL);
    commands_add(&procedure.undo, arena, "unmount it", 60, "sh", "service", "file", "over_undo",
                 reload, NULL);
    commands_add(&procedure.all_clear, arena, "nothing of ours is mounted or served", 20, "sh",
                 "service", "file", "expired_clear", path, port, address, NULL);
    *out = procedure;
    return true;
}
