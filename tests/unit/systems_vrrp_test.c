/* systems_vrrp_test.c - who has an address, and whether what moves it runs, on this machine. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* mkdtemp */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../runner/schema/decode.h"
#include "../../runner/systems/kinds.h"
#include "../../runner/transports/kinds.h"
#include "../fakes/server.h"

/* One host, this machine, which has 127.0.0.1; a program of its own name is the keepalived. */
struct Scene {
    struct Loop *loop;
    struct Arena *arena;
    struct Target host;
    const struct Target *list[1];
    struct Role role;
    void *system;
    pid_t mover;
    bool came;
    struct Redundancy redundancy;
    char why[300], folder[40], name[16];
};

static void start_mover(struct Scene *s)
{
    char program[80];
    snprintf(s->folder, sizeof(s->folder), "/tmp/faildrill-vrrp-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->name, sizeof(s->name), "mover%d", (int)getpid());
    snprintf(program, sizeof(program), "%s/%s", s->folder, s->name);
    assert_int_equal(symlink("/bin/sleep", program), 0);
    s->mover = fork();
    if (s->mover == 0) {
        execl(program, s->name, "1000", (char *)NULL);
        _exit(127);
    }
    assert_true(s->mover > 0);
}

static int begin(void **state)
{
    struct Scene *s = calloc(1, sizeof(*s));
    struct Problems *problems = problems_new();
    struct Err err = {.code = ERR_OWN};
    s->loop = loop_new();
    s->arena = arena_new("vrrp", 1u << 20);
    start_mover(s);
    const char *yaml = arena_printf(s->arena, "{virtual_address: 127.0.0.1, process: %s}", s->name);
    const struct Document *document =
        document_parse("system.yaml", yaml, strlen(yaml), s->arena, problems);
    struct Decode decode = {.arena = s->arena, .problems = problems};
    void *config = arena_zero(s->arena, 1, vrrp_system.config.size);
    assert_true(decode_record(&decode, document->root, &vrrp_system.config, config));
    problems_free(problems);
    s->host = (struct Target){.name = "one", .address = "127.0.0.1", .reach = &local_transport};
    s->list[0] = &s->host;
    s->role = (struct Role){.name = "address",
                            .hosts = s->list,
                            .host_count = 1,
                            .system = &vrrp_system,
                            .system_config = config};
    s->system = vrrp_system.open(config, &s->role, s->loop, &err);
    assert_non_null(s->system);
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct Scene *s = *state;
    char program[80];
    kill(s->mover, SIGKILL);
    waitpid(s->mover, NULL, 0);
    snprintf(program, sizeof(program), "%s/%s", s->folder, s->name);
    unlink(program);
    rmdir(s->folder);
    vrrp_system.close(s->system);
    loop_free(s->loop);
    arena_free(s->arena);
    free(s);
    return 0;
}

static void keep(void *data, const struct Redundancy *redundancy)
{
    struct Scene *s = data;
    s->redundancy = *redundancy;
    snprintf(s->why, sizeof(s->why), "%s", redundancy->why);
    s->came = true;
}

static void ask(struct Scene *s)
{
    struct Mono deadline = mono_add(mono_now(), 50 * NS_PER_S);
    s->came = false;
    vrrp_system.ask_redundancy(s->system, deadline, keep, s);
    run_until(s->loop, &s->came);
}

static void is_lacking(struct Scene *s)
{
    char lacking[200];
    snprintf(lacking, sizeof(lacking), "one has the address, but no %s that would give it up",
             s->name);
    ask(s);
    assert_string_equal(s->why, lacking);
    assert_int_equal(s->redundancy.complete, KNOWN_NO);
}

/* Between fork and exec it has our name. */
static void is_whole(struct Scene *s)
{
    do
        ask(s);
    while (s->redundancy.complete != KNOWN_YES && waitpid(s->mover, NULL, WNOHANG) == 0);
    assert_int_equal(s->redundancy.complete, KNOWN_YES);
}

static void test_what_is_stopped_moves_no_address(void **state)
{
    struct Scene *s = *state;
    int status = 0;
    is_whole(s);

    kill(s->mover, SIGSTOP);
    assert_int_equal(waitpid(s->mover, &status, WUNTRACED), s->mover);
    is_lacking(s);

    kill(s->mover, SIGCONT);
    assert_int_equal(waitpid(s->mover, &status, WCONTINUED), s->mover);
    is_whole(s);
}

static void test_nor_does_what_is_gone(void **state)
{
    struct Scene *s = *state;
    is_whole(s);

    kill(s->mover, SIGKILL); /* a zombie has its name still */
    siginfo_t gone;
    assert_int_equal(waitid(P_PID, (id_t)s->mover, &gone, WEXITED | WNOWAIT), 0);
    is_lacking(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_stopped_moves_no_address, begin, end),
        cmocka_unit_test_setup_teardown(test_nor_does_what_is_gone, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
