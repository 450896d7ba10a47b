/* redis_process.c - a real redis-server on a loopback address, for as long as a test needs it. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* mkdtemp, pipe2 */
#include "redis_process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../runner/base/clock.h"
#include "../../runner/base/err.h"

#define PROGRAM "/usr/bin/redis-server"

enum { PORT_LEAST = 10240 };

bool redis_process_missing(void)
{
    return access(PROGRAM, X_OK) != 0;
}

static struct sockaddr_in place(int number, uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)number - 1);
    return at;
}

static int bound(int number, uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = place(number, port);
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Where the ports begin that the kernel gives to whoever connects or asks for any: one of those may
 * be gone by the time at which our server binds it. */
static uint16_t given_out_from(void)
{
    unsigned from = 0;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    bool known = file != NULL && fscanf(file, "%u", &from) == 1;
    if (file != NULL)
        fclose(file);
    return (uint16_t)(known && from > 2 * PORT_LEAST && from < 65536 ? from : 32768);
}

uint16_t free_port_of_all(int count)
{
    uint16_t beyond = given_out_from();
    for (int tries = 0; tries < 1000; tries++) {
        uint16_t drawn = 0;
        if (getrandom(&drawn, sizeof(drawn), 0) != sizeof(drawn))
            bug("no random number");
        uint16_t port = (uint16_t)(PORT_LEAST + drawn % (beyond - PORT_LEAST));
        int fds[8], held = 0;
        while (held < count && (fds[held] = bound(held + 1, port)) >= 0)
            held++;
        for (int n = 0; n < held; n++)
            close(fds[n]);
        if (held == count)
            return port;
    }
    bug("no port is free on %d addresses", count);
}

static int connected(const struct RedisProcess *redis)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(redis->port)};
    inet_pton(AF_INET, redis->address, &at.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval limit = {.tv_sec = 30};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
        return fd;
    close(fd);
    return -1;
}

void redis_process_say(const struct RedisProcess *redis, const char *const *words, char out[128])
{
    char line[512] = "";
    size_t size = 0;
    for (size_t n = 0; words[n] != NULL; n++)
        size += (size_t)snprintf(line + size, sizeof(line) - size, "%s ", words[n]);
    size += (size_t)snprintf(line + size, sizeof(line) - size, "\r\n");
    out[0] = '\0';
    int fd = connected(redis);
    if (fd < 0)
        return;
    if (send(fd, line, size, MSG_NOSIGNAL) == (ssize_t)size) {
        ssize_t got = recv(fd, out, 127, 0);
        out[got > 0 ? got : 0] = '\0';
        out[strcspn(out, "\r\n")] = '\0';
    }
    close(fd);
}

static void run_child(const struct RedisProcess *redis, const char *option)
{
    char port[8], config[1024];
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that dies leaves none behind */
    snprintf(port, sizeof(port), "%u", (unsigned)redis->port);
    snprintf(config, sizeof(config),
             "port %s\nbind %s\nbind-source-addr %s\nreplica-announce-ip %s\ndir %s\n"
             "protected-mode no\nsave \"\"\nappendonly no\nlogfile "
             "%s/log\nrepl-diskless-sync-delay 0\n%s\n",
             port, redis->address, redis->address, redis->address, redis->folder, redis->folder,
             option != NULL ? option : "");
    int pipes[2];
    if (pipe(pipes) != 0 || write(pipes[1], config, strlen(config)) < 0)
        _exit(127);
    close(pipes[1]);
    dup2(pipes[0], 0);
    int null = open("/dev/null", O_WRONLY);
    dup2(null, 1);
    execl(PROGRAM, PROGRAM, "-", (char *)NULL);
    _exit(127);
}

static void wait_until_it_answers(const struct RedisProcess *redis)
{
    const char *const ping[] = {"PING", NULL};
    struct Mono end = mono_add(mono_now(), 60 * NS_PER_S);
    char reply[128] = "";
    while (strcmp(reply, "+PONG") != 0) {
        if (mono_before(end, mono_now()))
            bug("redis-server does not answer; see %s/log", redis->folder);
        (void)poll(NULL, 0, 5);
        redis_process_say(redis, ping, reply);
    }
}

void redis_process_start(struct RedisProcess *redis, int number, uint16_t port, const char *option)
{
    if (redis->folder[0] == '\0') {
        snprintf(redis->folder, sizeof(redis->folder), "/tmp/faildrill-redis-XXXXXX");
        if (mkdtemp(redis->folder) == NULL)
            bug("no folder for redis-server: %s", strerror(errno));
    }
    snprintf(redis->address, sizeof(redis->address), "127.0.0.%d", number);
    redis->port = port;
    redis->pid = fork();
    if (redis->pid == 0)
        run_child(redis, option);
    wait_until_it_answers(redis);
}

void redis_process_signal(const struct RedisProcess *redis, int signal_number)
{
    if (redis->pid > 0)
        kill(redis->pid, signal_number);
}

void redis_process_kill(struct RedisProcess *redis)
{
    if (redis->pid <= 0)
        return;
    kill(redis->pid, SIGKILL);
    waitpid(redis->pid, NULL, 0);
    redis->pid = 0;
}

void redis_process_end(struct RedisProcess *redis)
{
    static const char *const files[] = {"log", "dump.rdb"};
    redis_process_kill(redis);
    for (size_t n = 0; n < COUNT_OF(files) && redis->folder[0] != '\0'; n++) {
        char path[96];
        snprintf(path, sizeof(path), "%s/%s", redis->folder, files[n]);
        (void)unlink(path);
    }
    if (redis->folder[0] != '\0')
        (void)rmdir(redis->folder);
    *redis = (struct RedisProcess){.pid = 0};
}
