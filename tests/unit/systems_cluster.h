/* systems_cluster.h - three Redis, watched by Sentinels or not, on 127.0.0.2 to .4, for tests. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TESTS_SYSTEMS_CLUSTER_H
#define FD_TESTS_SYSTEMS_CLUSTER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../runner/base/text.h"
#include "../../runner/io/loop.h"
#include "../../runner/schema/decode.h"
#include "../../runner/systems/kinds.h"
#include "../fakes/redis_process.h"
#include "../fakes/server.h"
#include "../fakes/speaking.h"

/* CLUSTER_ALONE: without Sentinels. */
#ifdef CLUSTER_ALONE
enum { WATCHED = false };
#define CLUSTER_SYSTEM redis_system
#else
enum { WATCHED = true };
#define CLUSTER_SYSTEM redis_sentinel_system
#endif
enum { NODES = 3, DOWN_AFTER_MS = 2000 };

struct Cluster {
    char dir[64];
    uint16_t port, sentinel_port;
    pid_t redis[NODES], sentinel[NODES];
    char address[NODES][24];
    struct Target hosts[NODES];
    const struct Target *list[NODES];
    struct Role role;
    struct Arena *arena;
    void *config;
};

/* ---- processes ---- */

/* Ends with us, whatever becomes of us. */
static pid_t start_process(const struct Cluster *c, const char *const *argv)
{
    char log[100];
    snprintf(log, sizeof(log), "%s/log", c->dir);
    pid_t parent = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (getppid() != parent || fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
        _exit(126);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static void end_process(pid_t *pid)
{
    if (*pid <= 0)
        return;
    kill(*pid, SIGKILL);
    waitpid(*pid, NULL, 0);
    *pid = 0;
}

static void start_redis(struct Cluster *c, int n)
{
    char path[100];
    snprintf(path, sizeof(path), "%s/redis-%d.conf", c->dir, n);
    const char *const argv[] = {"redis-server", path, NULL};
    c->redis[n] = start_process(c, argv);
}

static void write_file(const struct Cluster *c, const char *name, int n, const char *text)
{
    char path[100];
    snprintf(path, sizeof(path), "%s/%s-%d.conf", c->dir, name, n);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void write_redis(const struct Cluster *c, int n)
{
    struct Buf text = BUF(4096);
    buf_printf(&text,
               "bind %s\nport %u\nprotected-mode no\ndir %s\ndbfilename dump-%d.rdb\n"
               "appendonly yes\nappenddirname aof-%d\nsave \"\"\nrepl-diskless-sync-delay 0\n"
               "replica-announce-ip %s\n",
               c->address[n], c->port, c->dir, n, n, c->address[n]);
    if (n > 0)
        buf_printf(&text, "replicaof %s %u\n", c->address[0], c->port);
    write_file(c, "redis", n, text.text);
    buf_free(&text);
}

/* Told who is there: by themselves they ask every 2 and every 10 s. */
static void write_sentinel(const struct Cluster *c, int n)
{
    struct Buf text = BUF(4096);
    buf_printf(&text,
               "bind %s\nport %u\nprotected-mode no\ndir %s\nsentinel myid %040d\n"
               "sentinel announce-ip %s\nsentinel monitor shop %s %u 2\n"
               "sentinel down-after-milliseconds shop %d\nsentinel failover-timeout shop 3000\n"
               "sentinel parallel-syncs shop 2\n",
               c->address[n], c->sentinel_port, c->dir, n + 1, c->address[n], c->address[0],
               c->port, DOWN_AFTER_MS);
    for (int other = 0; other < NODES; other++) {
        if (other > 0)
            buf_printf(&text, "sentinel known-replica shop %s %u\n", c->address[other], c->port);
        if (other != n)
            buf_printf(&text, "sentinel known-sentinel shop %s %u %040d\n", c->address[other],
                       c->sentinel_port, other + 1);
    }
    write_file(c, "sentinel", n, text.text);
    buf_free(&text);
}

/* ---- what the model makes of it ---- */

static const struct Target *find_host(void *data, const char *name)
{
    struct Cluster *c = data;
    for (int n = 0; n < NODES; n++)
        if (text_equal(c->hosts[n].name, name))
            return &c->hosts[n];
    return NULL;
}

/* As an environment's role has it, read by the same tables. */
static void *read_config(struct Cluster *c, const char *yaml)
{
    struct Problems *problems = problems_new();
    const struct Document *document =
        document_parse("system.yaml", yaml, strlen(yaml), c->arena, problems);
    struct Decode decode = {.arena = c->arena, .problems = problems};
    void *config = arena_zero(c->arena, 1, CLUSTER_SYSTEM.config.size);
    bool good = document->root != NULL &&
                decode_record(&decode, document->root, &CLUSTER_SYSTEM.config, config);
    if (problems_errors(problems) > 0)
        print_error("%s\n", problems_at(problems, 0)->message);
    problems_free(problems);
    assert_true(good);
    if (CLUSTER_SYSTEM.bind != NULL)
        CLUSTER_SYSTEM.bind(config, find_host, c);
    return config;
}

static void describe(struct Cluster *c)
{
    static const char *const names[NODES] = {"redis-1", "redis-2", "redis-3"};
    for (int n = 0; n < NODES; n++) {
        snprintf(c->address[n], sizeof(c->address[n]), "127.0.0.%d", n + 2);
        c->hosts[n] = (struct Target){.name = names[n],
                                      .address = c->address[n],
                                      .reach = &speaking,
                                      .reach_config = &stopped};
        c->list[n] = &c->hosts[n];
    }
    c->role = (struct Role){
        .name = "redis", .hosts = c->list, .host_count = NODES, .system = &CLUSTER_SYSTEM};
    const char *sentinels = WATCHED ? arena_printf(c->arena,
                                                   "master: shop, sentinel_port: %u, sentinels: "
                                                   "[redis-1, redis-2, \"127.0.0.4:%u\"], ",
                                                   c->sentinel_port, c->sentinel_port)
                                    : "";
    c->config = read_config(c, arena_printf(c->arena, "{%sport: %u, config: %s/redis.conf}",
                                            sentinels, c->port, c->dir));
    c->role.system_config = c->config;
}

/* ---- all of it ---- */

static bool have_redis(const struct Cluster *c)
{
    const char *const argv[] = {"redis-server", "--version", NULL};
    int status = 0;
    pid_t pid = start_process(c, argv);
    return waitpid(pid, &status, 0) == pid && status == 0;
}

/* False where there is no Redis. What is started is not yet ready. */
static bool cluster_open(struct Cluster *c)
{
    *c = (struct Cluster){.dir = "/tmp/fd-redis-XXXXXX"};
    assert_non_null(mkdtemp(c->dir));
    c->arena = arena_new("cluster", 16u << 20);
    if (!have_redis(c))
        return false;
    c->port = free_port_of_all(NODES + 1);
    do
        c->sentinel_port = free_port_of_all(NODES + 1);
    while (c->sentinel_port == c->port);
    describe(c);
    for (int n = 0; n < NODES; n++) {
        write_redis(c, n);
        start_redis(c, n);
    }
    for (int n = 0; WATCHED && n < NODES; n++) {
        char path[100];
        write_sentinel(c, n);
        snprintf(path, sizeof(path), "%s/sentinel-%d.conf", c->dir, n);
        const char *const argv[] = {"redis-server", path, "--sentinel", NULL};
        c->sentinel[n] = start_process(c, argv);
    }
    return true;
}

static void cluster_close(struct Cluster *c)
{
    const char *const argv[] = {"rm", "-rf", c->dir, NULL};
    char line[100];
    for (int n = 0; n < NODES; n++) {
        snprintf(line, sizeof(line), "redis-cli -h %s -p %u shutdown nosave now", c->address[n],
                 c->port);
        const char *const shutdown[] = {"sh", "-c", line, NULL}; /* one that a rejoin started */
        waitpid(start_process(c, shutdown), NULL, 0);
        end_process(&c->redis[n]);
        end_process(&c->sentinel[n]);
    }
    waitpid(start_process(c, argv), NULL, 0);
    arena_free(c->arena);
}

#endif
