/* server.c - a server on 127.0.0.1 that a test scripts, on the test's own loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* accept4 */
#include "server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../runner/base/arena.h"
#include "../../runner/base/err.h"

struct Link {
    struct Server *server;
    struct Link *next;
    int fd;
};

struct Server {
    struct Loop *loop;
    int fd, accepted;
    uint16_t port;
    struct Link *links;
    ServerFn *fn;
    void *data;
};

static int bound(uint16_t *port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &size) != 0)
        bug("no port of 127.0.0.1");
    *port = ntohs(at.sin_port);
    return fd;
}

int refused_port(uint16_t *port)
{
    return bound(port);
}

static void drop(struct Link *link)
{
    struct Link **at = &link->server->links;
    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    loop_watch(link->server->loop, link->fd, 0, NULL, NULL);
    close(link->fd);
    mem_free(link);
}

static void on_bytes(void *data, int events)
{
    (void)events;
    struct Link *link = data;
    char bytes[64 * 1024];
    ssize_t size = recv(link->fd, bytes, sizeof(bytes) - 1, 0);
    size_t got = size > 0 ? (size_t)size : 0;
    bytes[got] = '\0';
    struct Server *server = link->server;
    if (got > 0) {
        server->fn(server->data, link, bytes, got);
        return;
    }
    server->fn(server->data, link, "", 0);
    drop(link);
}

static void on_connection(void *data, int events)
{
    (void)events;
    struct Server *server = data;
    int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct Link *link = mem_zero(1, sizeof(*link));
    *link = (struct Link){.server = server, .next = server->links, .fd = fd};
    server->links = link;
    server->accepted++;
    loop_watch(server->loop, fd, LOOP_READ, on_bytes, link);
}

struct Server *server_new(struct Loop *loop, ServerFn *fn, void *data)
{
    struct Server *server = mem_zero(1, sizeof(*server));
    *server = (struct Server){.loop = loop, .fn = fn, .data = data};
    server->fd = bound(&server->port);
    if (listen(server->fd, 1024) != 0)
        bug("cannot listen");
    loop_watch(loop, server->fd, LOOP_READ, on_connection, server);
    return server;
}

uint16_t server_port(const struct Server *server)
{
    return server->port;
}

int server_accepted(const struct Server *server)
{
    return server->accepted;
}

int server_open(const struct Server *server)
{
    int count = 0;
    for (const struct Link *link = server->links; link != NULL; link = link->next)
        count++;
    return count;
}

void server_free(struct Server *server)
{
    if (server == NULL)
        return;
    while (server->links != NULL)
        drop(server->links);
    loop_watch(server->loop, server->fd, 0, NULL, NULL);
    close(server->fd);
    mem_free(server);
}

void link_send_bytes(struct Link *link, const char *bytes, size_t size)
{
    ssize_t sent = send(link->fd, bytes, size, MSG_NOSIGNAL); /* < 0: it went meanwhile */
    if (sent >= 0 && sent != (ssize_t)size)
        bug("the test's peer takes no %zu bytes", size);
}

void link_send(struct Link *link, const char *text)
{
    link_send_bytes(link, text, strlen(text));
}

const char *link_named(struct Link *link, char *said, const char *reply)
{
    char *name = strstr(said, LINK_NAMES);
    if (name == NULL)
        return reply;
    if (strstr(said, "AUTH") != NULL) {
        size_t line = strcspn(reply, "\n") + 1;
        link_send_bytes(link, reply, line);
        reply += line;
    }
    memmove(name, name + strlen(LINK_NAMES), strlen(name + strlen(LINK_NAMES)) + 1);
    link_send(link, "+OK\r\n");
    return reply;
}

void link_reset(struct Link *link)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(link->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    drop(link);
}

struct Wait {
    struct Loop *loop;
    struct Timer *timer;
    const bool *flag;
    struct Mono end;
};

static void look(void *data, int events)
{
    (void)events;
    struct Wait *wait = data;
    if (*wait->flag) {
        loop_stop(wait->loop);
        return;
    }
    if (mono_before(wait->end, mono_now()))
        bug("waited 60 s in vain");
    loop_timer_at(wait->timer, mono_add(mono_now(), NS_PER_MS / 5));
}

void run_until(struct Loop *loop, const bool *flag)
{
    struct Wait wait = {.loop = loop, .flag = flag, .end = mono_add(mono_now(), 60 * NS_PER_S)};
    wait.timer = loop_timer(loop, look, &wait);
    loop_timer_at(wait.timer, mono_now());
    loop_run(loop);
    loop_timer_free(wait.timer);
}

struct Mono in_ms(int64_t ms)
{
    return mono_add(mono_now(), ms * NS_PER_MS);
}

void run_turn(struct Loop *loop)
{
    const bool at_once = true;
    for (int n = 0; n < 3; n++)
        run_until(loop, &at_once);
}
