/* systems_patroni.h - a Patroni that answers what the test says, and a PostgreSQL. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TESTS_SYSTEMS_PATRONI_H
#define FD_TESTS_SYSTEMS_PATRONI_H

#define _GNU_SOURCE /* setenv */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../runner/base/text.h"
#include "../../runner/clients/postgres.h"
#include "../../runner/schema/decode.h"
#include "../../runner/systems/kinds.h"
#include "../fakes/ended.h"
#include "../fakes/postgres_process.h"
#include "../fakes/server.h"

static const struct SystemKind *const kind = &patroni_system;
static struct PostgresProcess postgres;

#define PRIMARY                                                                                    \
    "{\"state\": \"running\", \"role\": \"master\", \"xlog\": {\"location\": 100}, \"timeline\": " \
    "7, \"replication\": [], \"database_system_identifier\": \"72\"%s}"
#define MEMBERS                                                                                    \
    "{\"members\": [{\"name\": \"b\", \"role\": \"replica\", \"host\": \"10.0.0.9\"}, {\"name\": " \
    "\"a\", \"role\": \"%s\", \"host\": \"127.0.0.1\", \"port\": 5432}]}"

#define REPLICA                                                                                    \
    "{\"state\": \"running\", \"role\": \"replica\", \"timeline\": 7, \"xlog\": "                  \
    "{\"received_location\": 100}, \"patroni\": {\"name\": \"b\"}}"
#define SECOND "0.0.0.0" /* the kernel takes it for this machine */

/* One host, whose Patroni answers what the test says; a test may add a second, a replica. */
struct Scene {
    struct Loop *loop;
    struct Server *server;
    struct Arena *arena;
    struct Target host, second;
    const struct Target *list[2];
    struct Role role;
    void *system;
    char patroni[800], cluster[400], config[200], switchover[200]; /* "": silence */
    int status;                                                    /* of the switchover */
    char asked[2000];
    /* what came of it */
    bool came;
    struct Standing standing;
    struct Redundancy redundancy;
    enum Known known;
    char text[400], knobs[800];
    struct Prospect prospect;
};

static void answer(void *data, struct Link *link, const char *bytes, size_t size)
{
    struct Scene *s = data;
    char out[1000];
    if (size == 0)
        return;
    const char *body = strstr(bytes, "Host: " SECOND) != NULL    ? REPLICA
                       : text_starts(bytes, "GET /patroni ")     ? s->patroni
                       : text_starts(bytes, "GET /cluster ")     ? s->cluster
                       : text_starts(bytes, "GET /config ")      ? s->config
                       : text_starts(bytes, "POST /switchover ") ? s->switchover
                       : text_starts(bytes, "POST /failover ")   ? s->switchover
                                                                 : "";
    snprintf(s->asked, sizeof(s->asked), "%.*s", (int)size, bytes);
    if (body[0] == '\0')
        return;
    snprintf(out, sizeof(out), "HTTP/1.0 %d X\r\nContent-Length: %zu\r\n\r\n%s",
             body == s->switchover ? s->status : 200, strlen(body), body);
    link_send(link, out);
}

static void read_config(struct Scene *s, uint16_t port)
{
    struct Problems *problems = problems_new();
    const char *yaml =
        arena_printf(s->arena,
                     "{dsn: \"postgresql://drill@127.0.0.1:%u/postgres?target_session_attrs=any\", "
                     "port: %u, db_port: %u, rest_user: drill}",
                     (unsigned)postgres.port, (unsigned)port, (unsigned)postgres.port);
    const struct Document *document =
        document_parse("system.yaml", yaml, strlen(yaml), s->arena, problems);
    struct Decode decode = {.arena = s->arena, .problems = problems};
    void *config = arena_zero(s->arena, 1, kind->config.size);
    assert_true(decode_record(&decode, document->root, &kind->config, config));
    assert_int_equal(problems_errors(problems), 0);
    problems_free(problems);
    s->role.system_config = config;
}

static int begin(void **state)
{
    struct Scene *s = calloc(1, sizeof(*s));
    struct Err err = {.code = ERR_OWN};
    s->loop = loop_new();
    s->server = server_new(s->loop, answer, s);
    s->arena = arena_new("patroni", 16u << 20);
    s->host = (struct Target){.name = "one", .address = "127.0.0.1"};
    s->second = (struct Target){.name = "two", .address = SECOND};
    s->list[0] = &s->host;
    s->list[1] = &s->second;
    s->role = (struct Role){.name = "db", .hosts = s->list, .host_count = 1, .system = kind};
    snprintf(s->patroni, sizeof(s->patroni), PRIMARY, "");
    snprintf(s->cluster, sizeof(s->cluster), MEMBERS, "leader");
    snprintf(s->config, sizeof(s->config), "{\"ttl\": 20, \"loop_wait\": 5}");
    read_config(s, server_port(s->server));
    s->system = kind->open(s->role.system_config, &s->role, s->loop, &err);
    *state = s;
    return s->system == NULL;
}

static int end(void **state)
{
    struct Scene *s = *state;
    kind->close(s->system);
    server_free(s->server);
    loop_free(s->loop);
    arena_free(s->arena);
    free(s);
    return 0;
}

#endif
