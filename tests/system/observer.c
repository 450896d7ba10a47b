/* observer.c - asks a service each millisecond and says when it was away; none of our code. */
/* SPDX-License-Identifier: Apache-2.0 */
/* usage: observer [-i MS] [-t MS] [-d SECONDS] NAME[/N]=TARGET...     N: only each N-th time
 *   http://IP:PORT/PATH            good: status 200
 *   redis://MASTER@IP:PORT,...     asks these Sentinels who leads, writes a key there; good: +OK
 * A fresh connection for each attempt, started at absolute times, earlier ones answered or not.
 * Ends on SIGTERM or SIGINT. All times are CLOCK_MONOTONIC in nanoseconds:
 *   ready NAME AT                                    the first good attempt was answered
 *   down NAME SENT WHY / up NAME ANSWERED            as seen, in the order of sending
 *   window NAME LAST_GOOD_SENT FIRST_BAD_SENT FIRST_BAD_DONE LAST_BAD_SENT FIRST_GOOD_DONE
 *                                                    0: not seen
 *   pace NAME FIRST_SENT LAST_SENT SLOWEST PAUSE     of each BLOCK attempts: the slowest good
 *                                                    answer, the longest time between two
 *   total NAME ATTEMPTS BAD SKIPPED BROKEN
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { TARGETS = 8, SENTINELS = 5, RING = 4096, REPLY = 256, BLOCK = 64 };
enum Outcome { WAITING, GOOD, BAD, BROKEN };

/* A Sentinel that is silent for so long is no reason to wait: the next one is asked beside it. */
static const int64_t HEDGE_NS = 50000000;

struct Attempt;
struct Socket {
    struct Attempt *attempt;
    int fd; /* -1: none */
    bool connected;
    size_t got;
    char reply[REPLY];
};
struct Attempt {
    struct Target *target;
    int64_t sent, done, asked; /* asked: when the last Sentinel was */
    enum Outcome outcome;
    const char *why;
    int sentinels; /* asked so far; lookup is over once `leads` is open */
    struct Socket ask[SENTINELS], leads;
};
struct Target {
    const char *name;
    bool http;
    long each; /* N: asked each N-th time */
    struct sockaddr_in address[SENTINELS];
    int address_count;
    char lookup[256], request[512];
    struct Attempt *ring; /* RING of them; those before `judged` are done with */
    uint64_t judged, next;
    bool seen_good, down;
    int64_t last_good_sent, first_bad_sent, first_bad_done, last_bad_sent;
    int64_t block_sent, previous_sent, slowest, pause; /* of the block that is being judged */
    uint64_t bad, skipped, broken;
};

static struct Target targets[TARGETS];
static int target_count, epoll_fd;
static int64_t timeout_ns = 800000000;

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void fail(const char *what)
{
    fprintf(stderr, "observer: %s: %s\n", what, strerror(errno));
    exit(2);
}

static struct Attempt *at(struct Target *target, uint64_t number)
{
    return &target->ring[number % RING];
}

/* Closed by reset, or each attempt would keep its port for a minute. */
static void socket_close(struct Socket *s)
{
    if (s->fd < 0)
        return;
    struct linger reset = {.l_onoff = 1};
    setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(s->fd);
    s->fd = -1;
}

static void finish(struct Attempt *attempt, enum Outcome outcome, const char *why)
{
    attempt->outcome = outcome;
    attempt->why = why;
    attempt->done = now_ns();
    for (int i = 0; i < attempt->sentinels; i++)
        socket_close(&attempt->ask[i]);
    socket_close(&attempt->leads);
}

static const char *word(int error)
{
    switch (error) {
    case ECONNREFUSED: return "refused";
    case ECONNRESET: return "reset";
    case EHOSTUNREACH: return "unreachable";
    case ENETUNREACH: return "unreachable";
    case ETIMEDOUT: return "timeout";
    default: return "error";
    }
}

/* What went wrong here and not there says nothing about the service. */
static bool ours(int error)
{
    return error == EMFILE || error == ENFILE || error == EADDRNOTAVAIL || error == ENOBUFS;
}

/* One of several Sentinels may be gone; the attempt is bad only when none is left to ask. */
static void socket_failed(struct Socket *s, int error)
{
    struct Attempt *attempt = s->attempt;
    bool asking = s != &attempt->leads;
    socket_close(s);
    if (ours(error)) {
        finish(attempt, BROKEN, strerror(error));
        return;
    }
    if (asking) {
        attempt->asked = 0;
        if (attempt->sentinels < attempt->target->address_count)
            return;
        for (int i = 0; i < attempt->sentinels; i++)
            if (attempt->ask[i].fd >= 0)
                return;
    }
    finish(attempt, BAD, word(error));
}

static void socket_open(struct Socket *s, struct Attempt *attempt,
                        const struct sockaddr_in *address)
{
    s->attempt = attempt;
    s->connected = false;
    s->got = 0;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0) {
        socket_failed(s, errno);
        return;
    }
    int on = 1;
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = s};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, s->fd, &event) != 0)
        fail("epoll_ctl");
    if (connect(s->fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
        errno != EINPROGRESS)
        socket_failed(s, errno);
}

static void ask_next_sentinel(struct Attempt *attempt)
{
    int i = attempt->sentinels++;
    attempt->asked = now_ns();
    socket_open(&attempt->ask[i], attempt, &attempt->target->address[i]);
}

static void start(struct Target *target, int64_t due)
{
    if (target->next - target->judged == RING) {
        target->skipped++;
        return;
    }
    struct Attempt *attempt = at(target, target->next++);
    attempt->target = target;
    attempt->outcome = WAITING;
    attempt->sent = due;
    attempt->sentinels = 0;
    attempt->leads.fd = -1;
    if (target->http)
        socket_open(&attempt->leads, attempt, &target->address[0]);
    else
        ask_next_sentinel(attempt);
}

/* "*2\r\n$10\r\n10.77.1.11\r\n$4\r\n6379\r\n" */
static void sentinel_answered(struct Socket *s)
{
    struct Attempt *attempt = s->attempt;
    char ip[64];
    unsigned port;
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (s->got < 3 || memcmp(s->reply + s->got - 2, "\r\n", 2) != 0)
        return;
    if (sscanf(s->reply, "*2\r\n$%*d\r\n%63[0-9.]\r\n$%*d\r\n%u\r\n", ip, &port) != 2 ||
        inet_pton(AF_INET, ip, &address.sin_addr) != 1) {
        if (s->reply[0] != '*' || memcmp(s->reply, "*-1", 3) == 0)
            finish(attempt, BAD, "no-primary");
        return; /* or not all of it is here yet */
    }
    address.sin_port = htons((uint16_t)port);
    for (int i = 0; i < attempt->sentinels; i++)
        socket_close(&attempt->ask[i]);
    socket_open(&attempt->leads, attempt, &address);
}

static void service_answered(struct Socket *s, bool ended)
{
    const char *reply = s->reply;
    if (!s->attempt->target->http) {
        const char *why = reply[1] == 'R' ? "readonly" : "no-write";
        if (memchr(reply, '\n', s->got) != NULL)
            finish(s->attempt, reply[0] == '+' ? GOOD : BAD, why);
    } else if (ended) {
        bool good = s->got > 12 && memcmp(reply + 8, " 200", 4) == 0;
        finish(s->attempt, good ? GOOD : BAD, s->got == 0 ? "eof" : "status");
    }
}

static void socket_read(struct Socket *s)
{
    for (;;) {
        char rest[256]; /* of a body that is longer than we care for */
        bool room = s->got < REPLY - 1;
        ssize_t n = room ? read(s->fd, s->reply + s->got, REPLY - 1 - s->got)
                         : read(s->fd, rest, sizeof rest);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            socket_failed(s, errno);
            return;
        }
        if (room)
            s->got += (size_t)n;
        s->reply[s->got] = '\0';
        if (s != &s->attempt->leads && n == 0)
            socket_failed(s, ECONNRESET);
        else if (s != &s->attempt->leads)
            sentinel_answered(s);
        else if (n == 0 && !s->attempt->target->http)
            socket_failed(s, ECONNRESET);
        else
            service_answered(s, n == 0);
        if (s->fd < 0 || n == 0)
            return;
    }
}

static void socket_ready(struct Socket *s)
{
    if (s->fd < 0)
        return;
    if (s->connected) {
        socket_read(s);
        return;
    }
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    const struct Target *target = s->attempt->target;
    const char *text = s == &s->attempt->leads ? target->request : target->lookup;
    if (error == 0 && send(s->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        error = errno;
    if (error != 0) {
        socket_failed(s, error);
        return;
    }
    s->connected = true;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, s->fd, &event) != 0)
        fail("epoll_ctl");
}

static void print_window(struct Target *target, int64_t first_good_done)
{
    printf("window %s %jd %jd %jd %jd %jd\n", target->name, (intmax_t)target->last_good_sent,
           (intmax_t)target->first_bad_sent, (intmax_t)target->first_bad_done,
           (intmax_t)target->last_bad_sent, (intmax_t)first_good_done);
    fflush(stdout);
}

static void judge_bad(struct Target *target, const struct Attempt *attempt)
{
    target->bad++;
    target->last_bad_sent = attempt->sent;
    if (target->down)
        return;
    target->down = true;
    target->first_bad_sent = attempt->sent;
    target->first_bad_done = attempt->done;
    printf("down %s %jd %s\n", target->name, (intmax_t)attempt->sent, attempt->why);
    fflush(stdout);
}

/* Later ones may have been answered sooner: the earliest answer is the first success. */
static void judge_good(struct Target *target, const struct Attempt *attempt)
{
    int64_t done = attempt->done;
    if (!target->seen_good)
        printf("ready %s %jd\n", target->name, (intmax_t)done);
    fflush(stdout);
    target->seen_good = true;
    if (target->down) {
        for (uint64_t i = target->judged; i < target->next; i++)
            if (at(target, i)->outcome == GOOD && at(target, i)->done < done)
                done = at(target, i)->done;
        printf("up %s %jd\n", target->name, (intmax_t)done);
        print_window(target, done);
    }
    target->down = false;
    target->last_good_sent = attempt->sent;
}

static void keep_pace(struct Target *target, const struct Attempt *attempt)
{
    int64_t took = attempt->outcome == GOOD ? attempt->done - attempt->sent : 0;
    int64_t pause = target->judged > 0 ? attempt->sent - target->previous_sent : 0;
    if (target->judged % BLOCK == 0) {
        target->block_sent = attempt->sent;
        target->slowest = target->pause = 0;
    }
    target->slowest = took > target->slowest ? took : target->slowest;
    target->pause = pause > target->pause ? pause : target->pause;
    target->previous_sent = attempt->sent;
    if (target->judged % BLOCK == BLOCK - 1)
        printf("pace %s %jd %jd %jd %jd\n", target->name, (intmax_t)target->block_sent,
               (intmax_t)attempt->sent, (intmax_t)target->slowest, (intmax_t)target->pause);
}

static void judge(struct Target *target)
{
    while (target->judged < target->next && at(target, target->judged)->outcome != WAITING) {
        const struct Attempt *attempt = at(target, target->judged);
        if (attempt->outcome == BROKEN && target->broken++ == 0)
            fprintf(stderr, "observer: %s: %s\n", target->name, attempt->why);
        if (attempt->outcome == BAD)
            judge_bad(target, attempt);
        if (attempt->outcome == GOOD)
            judge_good(target, attempt);
        keep_pace(target, attempt);
        target->judged++;
    }
}

/* What waits too long, and Sentinels that keep silent while another one could be asked. */
static void look_at_clock(struct Target *target, int64_t now)
{
    for (uint64_t i = target->judged; i < target->next; i++) {
        struct Attempt *attempt = at(target, i);
        if (attempt->outcome != WAITING)
            continue;
        if (now - attempt->sent >= timeout_ns)
            finish(attempt, BAD, "timeout");
        else if (attempt->leads.fd < 0 && attempt->sentinels < target->address_count &&
                 now - attempt->asked >= HEDGE_NS)
            ask_next_sentinel(attempt);
    }
}

static void read_address(struct sockaddr_in *address, const char *text)
{
    char ip[64];
    unsigned port;
    address->sin_family = AF_INET;
    errno = EINVAL;
    if (sscanf(text, "%63[0-9.]:%u", ip, &port) != 2 ||
        inet_pton(AF_INET, ip, &address->sin_addr) != 1)
        fail(text);
    address->sin_port = htons((uint16_t)port);
}

static void read_target(struct Target *target, char *text)
{
    char *value = strchr(text, '=');
    errno = EINVAL;
    if (value == NULL)
        fail(text);
    *value++ = '\0';
    target->name = strsep(&text, "/");
    target->each = text != NULL ? strtol(text, NULL, 10) : 1;
    if (target->each < 1)
        fail(value);
    target->ring = calloc(RING, sizeof *target->ring);
    if (strncmp(value, "http://", 7) == 0) {
        const char *path = strchr(value + 7, '/');
        target->http = true;
        read_address(&target->address[target->address_count++], value + 7);
        snprintf(target->request, sizeof target->request,
                 "GET %s HTTP/1.0\r\nHost: observer\r\n\r\n", path != NULL ? path : "/");
        return;
    }
    char *list = strchr(value, '@');
    if (strncmp(value, "redis://", 8) != 0 || list == NULL)
        fail(value);
    *list++ = '\0';
    snprintf(target->lookup, sizeof target->lookup, "SENTINEL get-master-addr-by-name %s\r\n",
             value + 8);
    snprintf(target->request, sizeof target->request, "SET observer:%s 1 EX 600\r\n",
             target->name);
    for (char *one; (one = strsep(&list, ",")) != NULL && target->address_count < SENTINELS;)
        read_address(&target->address[target->address_count++], one);
}

static int64_t milliseconds(const char *text)
{
    double value = strtod(text, NULL);
    errno = EINVAL;
    if (!(value > 0))
        fail(text);
    return (int64_t)(value * 1e6);
}

static int watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        fail("watch");
    return fd;
}

static int end_signals(void)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    return watch(signalfd(-1, &ends, SFD_NONBLOCK | SFD_CLOEXEC));
}

static int ticks(int64_t begin, int64_t interval)
{
    int fd = watch(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    struct itimerspec times = {
        .it_value = {begin / 1000000000, begin % 1000000000},
        .it_interval = {interval / 1000000000, interval % 1000000000},
    };
    if (timerfd_settime(fd, TFD_TIMER_ABSTIME, &times, NULL) != 0)
        fail("timerfd_settime");
    return fd;
}

/* Until a signal or the end of `duration`, then until all that is in flight has ended. */
static void observe(int64_t interval, int64_t duration)
{
    int64_t begin = now_ns() + interval, end = duration > 0 ? begin + duration : INT64_MAX;
    int signals = end_signals(), timer = ticks(begin, interval);
    uint64_t time_number = 0;
    bool waiting = true;
    while (waiting || now_ns() < end) {
        struct epoll_event events[256];
        int n = epoll_wait(epoll_fd, events, 256, 100);
        for (int i = 0; i < n; i++)
            if (events[i].data.ptr != NULL)
                socket_ready(events[i].data.ptr);
        struct signalfd_siginfo info;
        if (read(signals, &info, sizeof info) > 0)
            end = 0;
        uint64_t expired = 0;
        int64_t now = now_ns();
        waiting = false;
        if (read(timer, &expired, sizeof expired) < 0)
            expired = 0;
        for (struct Target *t = targets; t < targets + target_count; t++) {
            if (expired > 0 && now < end && time_number % (uint64_t)t->each == 0)
                start(t, now); /* late ones are not made up for: they would say nothing new */
            t->skipped += expired > 1 ? expired - 1 : 0;
            if (expired > 0)
                look_at_clock(t, now);
            judge(t);
            waiting = waiting || t->judged < t->next;
        }
        time_number += expired > 0;
    }
}

int main(int argc, char **argv)
{
    int64_t interval = 1000000, duration = 0;
    for (int option; (option = getopt(argc, argv, "i:t:d:")) != -1;) {
        switch (option) {
        case 'i': interval = milliseconds(optarg); break;
        case 't': timeout_ns = milliseconds(optarg); break;
        case 'd': duration = milliseconds(optarg) * 1000; break;
        default: return 2;
        }
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (; optind < argc && target_count < TARGETS; optind++)
        read_target(&targets[target_count++], argv[optind]);
    if (target_count == 0)
        return 2;
    observe(interval, duration);
    for (struct Target *t = targets; t < targets + target_count; t++) {
        if (t->down)
            print_window(t, 0);
        printf("total %s %ju %ju %ju %ju\n", t->name, (uintmax_t)t->judged, (uintmax_t)t->bad,
               (uintmax_t)t->skipped, (uintmax_t)t->broken);
    }
    return 0;
}
