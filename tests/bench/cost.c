/* cost.c - CPU a probe takes, against the smallest program with the same library. */
/* SPDX-License-Identifier: Apache-2.0 */
/* usage: cost [PAIRS [SECONDS]] */
#define _GNU_SOURCE /* accept4 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <hiredis/hiredis.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../fakes/probing.h"
#include "measure.h"

enum { PAIRS_MAX = 100, RATE = 1000 };

/* ---- a server in a process of its own: HTTP, and enough of Redis ---- */

static void serve(int listener)
{
    static const char http[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        struct epoll_event ready[64];
        int count = epoll_wait(epoll, ready, 64, -1);
        for (int n = 0; n < count; n++) {
            int fd = ready[n].data.fd;
            char bytes[4096];
            if (fd == listener) {
                event.data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (event.data.fd >= 0)
                    epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
                continue;
            }
            ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
            bool is_http = got > 3 && memcmp(bytes, "GET ", 4) == 0;
            const char *reply = is_http ? http : "+PONG\r\n";
            if (got <= 0)
                close(fd);
            else if (memmem(bytes, (size_t)got, "SETNAME", 7) != NULL)
                (void)send(fd, "+OK\r\n+PONG\r\n", 12, MSG_NOSIGNAL);
            else
                (void)send(fd, reply, strlen(reply), MSG_NOSIGNAL);
        }
    }
}

static uint16_t start_server(pid_t *pid)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(listener, (struct sockaddr *)&at, size) != 0 || listen(listener, 1024) != 0 ||
        getsockname(listener, (struct sockaddr *)&at, &size) != 0)
        bug("no server");
    *pid = fork();
    if (*pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(listener);
    }
    close(listener);
    return ntohs(at.sin_port);
}

/* ---- bare: one timerfd, one request each tick ---- */

static int tick_timer(void)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    const struct timespec period = {.tv_nsec = 1000000000 / RATE};
    const struct itimerspec set = {.it_interval = period, .it_value = period};
    timerfd_settime(timer, 0, &set, NULL);
    return timer;
}

static void wait_tick(int timer)
{
    uint64_t expired = 0;
    if (read(timer, &expired, sizeof(expired)) < 0)
        bug("no tick");
}

static size_t drop_body(char *bytes, size_t one, size_t size, void *data)
{
    (void)bytes;
    (void)one;
    (void)data;
    return size;
}

/* curl multi, polled by itself, a new connection each. */
static double bare_curl(uint16_t port, int count)
{
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", (unsigned)port);
    CURLM *multi = curl_multi_init();
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop_body);
    int timer = tick_timer();
    double before = cpu_us();
    for (int n = 0; n < count; n++) {
        int running = 1, left = 0;
        wait_tick(timer);
        curl_multi_add_handle(multi, curl);
        curl_multi_perform(multi, &running);
        while (running > 0) {
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
            curl_multi_perform(multi, &running);
        }
        (void)curl_multi_info_read(multi, &left);
        curl_multi_remove_handle(multi, curl);
    }
    double used = cpu_us() - before;
    close(timer);
    curl_easy_cleanup(curl);
    curl_multi_cleanup(multi);
    return used / count;
}

/* Sockets alone: connect, send, poll, receive, close by reset. */
static double bare_sockets(uint16_t port, int count)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int timer = tick_timer();
    double before = cpu_us();
    for (int n = 0; n < count; n++) {
        const struct linger at_once = {.l_onoff = 1};
        char reply[512];
        wait_tick(timer);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fd, (struct sockaddr *)&at, sizeof(at));
        struct pollfd ready = {.fd = fd, .events = POLLOUT};
        (void)poll(&ready, 1, 1000);
        (void)send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
        ready.events = POLLIN;
        (void)poll(&ready, 1, 1000);
        (void)recv(fd, reply, sizeof(reply), 0);
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        close(fd);
    }
    double used = cpu_us() - before;
    close(timer);
    return used / count;
}

static double bare_hiredis(uint16_t port, int count)
{
    redisContext *redis = redisConnect("127.0.0.1", port);
    int timer = tick_timer();
    double before = cpu_us();
    for (int n = 0; n < count; n++) {
        wait_tick(timer);
        freeReplyObject(redisCommand(redis, "PING"));
    }
    double used = cpu_us() - before;
    close(timer);
    redisFree(redis);
    return used / count;
}

/* ---- ours ---- */

static double probe(uint16_t port, const char *text, bool keep, int count)
{
    static struct Probing probing;
    struct Err err;
    probing_open(&probing);
    probing.port = port;
    probing_environment(&probing,
                        "environment: test\nroles: {web: {hosts: [web-1], unit: web.service}}\n");
    probing_add(&probing, text, NS_PER_S / RATE, 20 * NS_PER_MS);
    probing.specs[0].keep = keep;
    if (!probing_start(&probing, &err))
        bug("%s", err.message);
    struct Flight flight;
    int samples = 0, failed = 0;
    double before = cpu_us();
    while (samples < count) {
        (void)poll(NULL, 0, 50);
        while (prober_take(probing.prober, &flight))
            if (flight.type == FLIGHT_SAMPLE) {
                samples++;
                failed += flight.sample.outcome != OUTCOME_OK;
            }
    }
    double used = cpu_us() - before;
    if (failed > samples / 100)
        printf("  (%d of %d failed)\n", failed, samples);
    probing_close(&probing);
    return used / samples;
}

struct Pair {
    const char *name, *text;
    bool keep;
    double (*bare)(uint16_t port, int count);
    double most;
};

int main(int argc, char **argv)
{
    static const struct Pair pairs[] = {
        {"http beside sockets", "{http: \"http://127.0.0.1:PORT/\"}", false, bare_sockets, 1.2},
        {"http beside curl", "{http: \"http://127.0.0.1:PORT/\"}", false, bare_curl, 1.25},
        {"redis, kept, beside hiredis", "{redis: \"redis://127.0.0.1:PORT\"}", true, bare_hiredis,
         1.2},
    };
    size_t rounds = (size_t)argument(argc, argv, 1, 5);
    int count = RATE * (int)argument(argc, argv, 2, 3);
    pid_t server = 0;
    uint16_t port = start_server(&server);
    if (rounds > PAIRS_MAX)
        return 2;
    for (size_t n = 0; n < sizeof(pairs) / sizeof(pairs[0]); n++) {
        double ratios[PAIRS_MAX], ours[PAIRS_MAX];
        for (size_t round = 0; round < rounds; round++) {
            double bare = pairs[n].bare(port, count);
            ours[round] = probe(port, pairs[n].text, pairs[n].keep, count);
            ratios[round] = ours[round] / bare;
        }
        printf("%s: %.0f us a probe, %.2f x bare (goal <= %.2f)\n", pairs[n].name,
               quantile(ours, rounds, 0.5), quantile(ratios, rounds, 0.5), pairs[n].most);
    }
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    return 0;
}
