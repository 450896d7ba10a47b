/* systems_files_test.c - times of etcd and HAProxy, as their files on the hosts have them. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* mkdtemp */
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
#include "../../runner/schema/decode.h"
#include "../../runner/systems/kinds.h"
#include "../../runner/transports/kinds.h"
#include "../fakes/server.h"

    /* Two hosts, both this machine, whose servers say nothing; only the file does. */
    struct Scene {
    struct Loop *loop;
    struct Arena *arena;
    struct Server *server;
    struct Target hosts[2];
    const struct Target *list[2];
    char folder[40], file[60], knobs[400];
    struct Span failover;
    bool came;
};

static void refuse(void *data, struct Link *link, const char *bytes, size_t size)
{
    (void)data;
    (void)bytes;
    if (size > 0)
        link_send(link, "HTTP/1.0 404 X\r\nContent-Length: 0\r\n\r\n");
}

static int begin(void **state)
{
    struct Scene *s = calloc(1, sizeof(*s));
    s->loop = loop_new();
    s->arena = arena_new("files", 16u << 20);
    s->server = server_new(s->loop, refuse, s);
    snprintf(s->folder, sizeof(s->folder), "/tmp/faildrill-files-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->file, sizeof(s->file), "%s/it's file", s->folder);
    for (size_t n = 0; n < 2; n++) {
        s->hosts[n] = (struct Target){
            .name = n == 0 ? "one" : "two", .address = "127.0.0.1", .reach = &local_transport};
        s->list[n] = &s->hosts[n];
    }
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct Scene *s = *state;
    unlink(s->file);
    rmdir(s->folder);
    server_free(s->server);
    loop_free(s->loop);
    arena_free(s->arena);
    free(s);
    return 0;
}

static const struct Target *find(void *data, const char *name)
{
    struct Scene *s = data;
    return text_equal(name, "one") ? s->list[0] : text_equal(name, "two") ? s->list[1] : NULL;
}

static void keep(void *data, const struct Prospect *prospect)
{
    struct Scene *s = data;
    s->knobs[0] = '\0';
    for (size_t n = 0; n < prospect->knob_count; n++) {
        size_t used = strlen(s->knobs);
        snprintf(s->knobs + used, sizeof(s->knobs) - used, "%s%s %s", n > 0 ? ", " : "",
                 prospect->knobs[n].name, prospect->knobs[n].value);
    }
    s->failover = prospect->failover;
    s->came = true;
}

/* What the plan has of a file with this text; NULL: there is none. */
static const char *read_of(struct Scene *s, const struct SystemKind *kind, const char *yaml,
                           const char *text)
{
    struct Problems *problems = problems_new();
    struct Err err = {.code = ERR_OWN};
    const struct Document *document =
        document_parse("system.yaml", yaml, strlen(yaml), s->arena, problems);
    struct Decode decode = {.arena = s->arena, .problems = problems};
    void *config = arena_zero(s->arena, 1, kind->config.size);
    assert_true(decode_record(&decode, document->root, &kind->config, config));
    problems_free(problems);
    if (kind->bind != NULL)
        kind->bind(config, find, s);
    unlink(s->file);
    FILE *file = text != NULL ? fopen(s->file, "w") : NULL;
    if (file != NULL) {
        fputs(text, file);
        fclose(file);
    }
    struct Role role = {
        .name = "role", .hosts = s->list, .host_count = 2, .system = kind, .system_config = config};
    void *system = kind->open(config, &role, s->loop, &err);
    assert_non_null(system);
    s->came = false;
    kind->ask_prospect(system, mono_add(mono_now(), 50 * NS_PER_S), keep, s);
    run_until(s->loop, &s->came);
    kind->close(system);
    return s->knobs;
}

static const char *etcd(struct Scene *s, const char *text)
{
    const char *yaml = arena_printf(s->arena, "{port: %u, config: \"%s\"}",
                                    (unsigned)server_port(s->server), s->file);
    return read_of(s, &etcd_system, yaml, text);
}

static void test_etcd_is_read_as_yaml_variables_and_options(void **state)
{
    struct Scene *s = *state;

    assert_string_equal(etcd(s, "name: a\nelection-timeout: 2500 # ms\nheartbeat-interval: 250\n"),
                        "election_timeout 2s500ms, heartbeat_interval 250ms");
    assert_int_equal(s->failover.low_ns, 2250 * NS_PER_MS);
    assert_int_equal(s->failover.high_ns, 8 * NS_PER_S);
    assert_string_equal(etcd(s, "ETCD_ELECTION_TIMEOUT=\"3000\"\n#ETCD_HEARTBEAT_INTERVAL=5\n"),
                        "election_timeout 3s, heartbeat_interval 100ms");
    assert_string_equal(
        etcd(s, "ExecStart=/usr/bin/etcd --heartbeat-interval 300 \\\n  --election-timeout=4000\n"),
        "election_timeout 4s, heartbeat_interval 300ms");
    assert_string_equal(etcd(s, "initial-election-tick-advance: true\n"),
                        "election_timeout 1s, heartbeat_interval 100ms");
}

static void test_a_file_of_etcd_that_is_not_there_promises_nothing(void **state)
{
    struct Scene *s = *state;
    const char *missing =
        arena_printf(s->arena, "unread %.40s on one, unread %.40s on two", s->file, s->file);

    assert_string_equal(etcd(s, NULL), missing);
    assert_true(s->failover.high_ns == NS_NEVER);
}

static const char *haproxy(struct Scene *s, const char *text)
{
    const char *yaml = arena_printf(
        s->arena,
        "{stats: \"http://127.0.0.1:%u/\", backend: orders, proxies: [one, two], config: \"%s\"}",
        (unsigned)server_port(s->server), s->file);
    return read_of(s, &haproxy_system, yaml, text);
}

#define DEFAULTS "defaults\n timeout check 1500\n default-server inter 1s fastinter 500ms fall 2\n"
#define ORDERS "listen orders\n bind :80\n server web-1 10.0.0.1:80 check\n"

static void test_haproxy_is_read_by_section(void **state)
{
    struct Scene *s = *state;

    assert_string_equal(haproxy(s, DEFAULTS "listen stats\n default-server inter 9s\n" ORDERS),
                        "inter 1s, fastinter 500ms, timeout check 1s500ms");
    assert_string_equal(haproxy(s, DEFAULTS "defaults\n" ORDERS),
                        "inter 2s, fastinter 2s, timeout check 2s");
    assert_string_equal(haproxy(s, DEFAULTS ORDERS " timeout check \"4s\"\nbackend other\n"
                                                   " timeout check 7s\n server a b:1 inter 8s\n"),
                        "inter 1s, fastinter 500ms, timeout check 4s");
    assert_string_equal(haproxy(s, ORDERS " server web-2 10.0.0.2:80 check inter 3s # inter 4s\n"),
                        "inter 3s, fastinter 3s, timeout check 3s, servers differ in these times");
}

static void test_what_haproxy_inherits_by_name_is_not_guessed(void **state)
{
    struct Scene *s = *state;
    const char *unread =
        arena_printf(s->arena, "unread %.40s on one, unread %.40s on two", s->file, s->file);

    assert_string_equal(haproxy(s, "listen orders from base\n server a b:1 check\n"), unread);
    assert_string_equal(haproxy(s, "backend shop\n server a b:1 check\n"), unread);
    assert_string_equal(haproxy(s, "backend orders\n server a b:1 check inter soon\n"), unread);
    assert_string_equal(haproxy(s, NULL), unread);
    assert_true(s->failover.high_ns == NS_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_etcd_is_read_as_yaml_variables_and_options, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_a_file_of_etcd_that_is_not_there_promises_nothing,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_haproxy_is_read_by_section, begin, end),
        cmocka_unit_test_setup_teardown(test_what_haproxy_inherits_by_name_is_not_guessed, begin,
                                        end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
