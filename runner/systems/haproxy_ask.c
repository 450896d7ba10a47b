/* haproxy_ask.c - who has the traffic, by the word of all proxies; what a failure costs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "haproxy.h"

struct PageAsk {
    struct Ask ask; /* first */
    struct Haproxy *system;
    struct Server servers[PROXIES_MAX][HAPROXY_HOSTS_MAX];
    bool answered[PROXIES_MAX], unknown[PROXIES_MAX]; /* unknown: it has no such backend */
    size_t host;                                      /* that is asked for */
    struct Checks checks;                             /* of a prospect */
    void (*told)(struct PageAsk *mine);
    union {
        StandingFn *standing;
        RedundancyFn *redundancy;
        ProspectFn *prospect;
        void (*found)(void *data, const char *address, uint16_t port);
        void (*detected)(void *data, enum Known detected);
    } done;
    void *data;
};

static const char *page_of(const struct PageAsk *mine, size_t proxy)
{
    return ((const char *const *)mine->system->config->stats.items)[proxy];
}

static bool take_page(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct PageAsk *mine = (struct PageAsk *)ask;
    bool page = answer->end == CALL_ANSWERED && answer->code == 200 && !answer->cut;
    mine->answered[index] =
        page && haproxy_read(mine->system, answer->bytes, answer->size, mine->servers[index]);
    mine->unknown[index] = answer->end == CALL_ANSWERED && !mine->answered[index];
    return true;
}

static void finish_page(struct Ask *ask)
{
    struct PageAsk *mine = (struct PageAsk *)ask;
    mine->told(mine);
}

static struct PageAsk *begin_page(struct Haproxy *system, struct Mono deadline,
                                  void (*told)(struct PageAsk *mine), void *data)
{
    const struct HaproxyConfig *config = system->config;
    struct PageAsk *mine = ask_begin(&system->asking, sizeof(*mine), deadline, finish_page);
    mine->system = system;
    mine->told = told;
    mine->data = data;
    for (size_t n = 0; n < config->stats.count; n++) {
        char url[500];
        struct AskPart *part = ask_part(&mine->ask, n, take_page);
        snprintf(url, sizeof(url), "%.480s;csv", page_of(mine, n));
        part->call = http_call(
            system->http,
            &(struct HttpRequest){.url = url, .user = config->user, .secret = config->password},
            deadline, ask_answered, part);
    }
    ask_go(&mine->ask);
    return mine;
}

/* ---- what they say, taken together ---- */

/* One that no proxy gives anything to, and that a proxy could, waits. */
static enum Rank rank_of(const struct PageAsk *mine, size_t host)
{
    enum Rank rank = RANK_UNKNOWN;
    for (size_t n = 0; n < mine->system->config->stats.count; n++) {
        if (!mine->answered[n])
            continue;
        switch (mine->servers[n][host].state) {
        case SERVER_TAKES:
            return RANK_PRIMARY;
        case SERVER_UP:
            rank = RANK_REPLICA;
            break;
        case SERVER_DOWN:
        case SERVER_UNSEEN:
            rank = rank == RANK_REPLICA ? rank : RANK_OTHER;
            break;
        }
    }
    return rank;
}

/* Host_count: nobody, or several. */
static size_t taker(const struct PageAsk *mine, size_t *takers)
{
    size_t count = mine->system->role->host_count, found = count;
    *takers = 0;
    for (size_t n = 0; n < count; n++)
        if (rank_of(mine, n) == RANK_PRIMARY) {
            found = n;
            ++*takers;
        }
    return *takers == 1 ? found : count;
}

static void tell_standing(struct PageAsk *mine)
{
    const struct Role *role = mine->system->role;
    struct Standing standing = {.asked = mine->ask.asked, .answered = mono_now()};
    if (mine->host < role->host_count) {
        standing.host = role->hosts[mine->host];
        standing.rank = rank_of(mine, mine->host);
        standing.writable = standing.rank == RANK_UNKNOWN   ? KNOWN_UNKNOWN
                            : standing.rank == RANK_PRIMARY ? KNOWN_YES
                                                            : KNOWN_NO;
    }
    mine->done.standing(mine->data, &standing);
}

void haproxy_ask_standing(void *data, const struct Target *host, struct Mono deadline,
                          StandingFn *done, void *done_data)
{
    struct Haproxy *system = data;
    struct PageAsk *mine = begin_page(system, deadline, tell_standing, done_data);
    mine->done.standing = done;
    while (mine->host < system->role->host_count && system->role->hosts[mine->host] != host)
        mine->host++;
}

static void tell_control(struct PageAsk *mine)
{
    size_t takers, host = taker(mine, &takers);
    struct Standing standing = {.asked = mine->ask.asked, .answered = mono_now()};
    if (host < mine->system->role->host_count) {
        standing.host = mine->system->role->hosts[host];
        standing.rank = RANK_PRIMARY;
    }
    mine->done.standing(mine->data, &standing);
}

void haproxy_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data)
{
    begin_page(system, deadline, tell_control, data)->done.standing = done;
}

static void tell_found(struct PageAsk *mine)
{
    const struct Role *role = mine->system->role;
    size_t takers, host = taker(mine, &takers);
    uint16_t port = 0;
    for (size_t n = 0; n < PROXIES_MAX && host < role->host_count && port == 0; n++)
        port = mine->servers[n][host].port;
    const char *address = host == role->host_count ? NULL : role->hosts[host]->address;
    mine->done.found(mine->data, address, port);
}

void haproxy_find_primary(void *system, struct Mono deadline,
                          void (*done)(void *data, const char *address, uint16_t port), void *data)
{
    begin_page(system, deadline, tell_found, data)->done.found = done;
}

/* The server that had the traffic is no more up; or another has it. */
static void tell_detected(struct PageAsk *mine)
{
    struct Haproxy *system = mine->system;
    const struct Role *role = system->role;
    size_t takers, host = taker(mine, &takers);
    enum Known detected = KNOWN_UNKNOWN;
    for (size_t n = 0; n < role->host_count; n++)
        if (role->hosts[n] == system->first && rank_of(mine, n) == RANK_OTHER)
            detected = KNOWN_YES;
    if (host < role->host_count && detected == KNOWN_UNKNOWN)
        detected =
            system->first == NULL || role->hosts[host] == system->first ? KNOWN_NO : KNOWN_YES;
    if (host < role->host_count)
        system->first = role->hosts[host];
    mine->done.detected(mine->data, detected);
}

void haproxy_ask_detected(void *system, struct Mono deadline,
                          void (*done)(void *data, enum Known detected), void *data)
{
    begin_page(system, deadline, tell_detected, data)->done.detected = done;
}

/* ---- redundancy: every proxy has every server up ---- */

__attribute__((format(printf, 4, 5))) static void
lacking(struct Redundancy *out, enum Known complete, char *why, const char *format, ...)
{
    va_list values;
    if (out->complete != KNOWN_NO)
        out->complete = complete;
    if (why[0] != '\0')
        return;
    va_start(values, format);
    vsnprintf(why, 300, format, values);
    va_end(values);
}

static void judge_servers(const struct PageAsk *mine, size_t proxy, struct Redundancy *out,
                          char *why)
{
    const struct Role *role = mine->system->role;
    for (size_t n = 0; n < role->host_count; n++) {
        const struct Server *server = &mine->servers[proxy][n];
        if (server->state == SERVER_UNSEEN)
            lacking(out, KNOWN_NO, why, "%.100s has no server %.60s", page_of(mine, proxy),
                    role->hosts[n]->name);
        else if (server->state == SERVER_DOWN)
            lacking(out, KNOWN_NO, why, "%.60s is %s (%s) at %.100s", role->hosts[n]->name,
                    server->status, server->check, page_of(mine, proxy));
    }
}

static void tell_redundancy(struct PageAsk *mine)
{
    const struct Role *role = mine->system->role;
    char why[300] = "";
    size_t takers;
    struct Redundancy redundancy = {
        .members = (uint32_t)role->host_count, .complete = KNOWN_YES, .why = why};
    (void)taker(mine, &takers);
    for (size_t n = 0; n < mine->system->config->stats.count; n++) {
        if (mine->answered[n])
            judge_servers(mine, n, &redundancy, why);
        else
            lacking(&redundancy, KNOWN_UNKNOWN, why, "%.100s gives no answer", page_of(mine, n));
    }
    for (size_t n = 0; n < role->host_count; n++) {
        enum Rank rank = rank_of(mine, n);
        redundancy.in_sync += rank == RANK_PRIMARY || rank == RANK_REPLICA ? 1 : 0;
    }
    if (takers > 1)
        lacking(&redundancy, KNOWN_NO, why, "%zu servers have traffic at once", takers);
    mine->done.redundancy(mine->data, &redundancy);
}

void haproxy_ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data)
{
    begin_page(system, deadline, tell_redundancy, data)->done.redundancy = done;
}

/* ---- what it promises ---- */

enum { INTER, FASTINTER, CHECK, FALL };
static const struct KnobRow rows[] = {
    [INTER] = {.name = "inter",
               .unit = KNOB_TIME,
               .least = 500 * NS_PER_MS,
               .usual = 2 * NS_PER_S,
               .line = "default-server inter %s",
               .written = KNOB_TIME},
    [FASTINTER] = {.name = "fastinter",
                   .unit = KNOB_TIME,
                   .least = 500 * NS_PER_MS,
                   .usual = 2 * NS_PER_S,
                   .line = "default-server fastinter %s",
                   .written = KNOB_TIME},
    [CHECK] = {.name = "timeout check",
               .unit = KNOB_TIME,
               .least = 500 * NS_PER_MS,
               .usual = 2 * NS_PER_S,
               .line = "timeout check %s",
               .written = KNOB_TIME},
    [FALL] = {.name = "fall",
              .unit = KNOB_COUNT,
              .least = 2,
              .usual = 3,
              .line = "default-server fall %s",
              .written = KNOB_COUNT},
};

/* DOWN is the fall-th failed check in a row: the first comes up to an `inter` after the fault, the
 * next ones each a `fastinter` later, and where the server is silent each takes its timeout. */
static void foretell(const int64_t *values, struct Forecast *out)
{
    *out =
        (struct Forecast){.failover = {0, NS_NEVER}, .acked = {0, KNOB_UNKNOWN}, .allowed = true};
    for (size_t row = 0; row < COUNT_OF(rows); row++)
        if (values[row] == KNOB_UNKNOWN)
            return;
    int64_t low_ns = (values[FALL] - 1) * values[FASTINTER];
    out->failover =
        (struct Span){low_ns, values[INTER] + low_ns + values[FALL] * values[CHECK] + NS_PER_S};
}

const struct KnobTable haproxy_knobs = {
    .rows = rows, .row_count = COUNT_OF(rows), .foretell = foretell};

/* The first trap counts. */
static void find_trap(const struct PageAsk *mine, size_t takers, char *out, size_t size)
{
    const struct HaproxyConfig *config = mine->system->config;
    for (size_t n = 0; n < config->stats.count && out[0] == '\0'; n++) {
        if (mine->unknown[n])
            snprintf(out, size, "%.100s is no statistics page that has `%.60s`", page_of(mine, n),
                     config->backend);
        else if (!mine->answered[n])
            snprintf(out, size, "%.100s gives no answer", page_of(mine, n));
    }
    if (out[0] == '\0' && takers == 0)
        snprintf(out, size, "no server of `%.60s` has its traffic", config->backend);
    if (out[0] == '\0' && takers > 1)
        snprintf(out, size,
                 "`%.60s` spreads its traffic over %zu servers: none of them is primary; leave "
                 "`haproxy:` out, and ask it by http",
                 config->backend, takers);
}

enum { KNOBS_MAX = 6 + PROXIES_MAX, TEXT_MAX = 80 };
struct Said {
    struct Knob knobs[KNOBS_MAX];
    char values[KNOBS_MAX][TEXT_MAX];
    size_t count;
};

__attribute__((format(printf, 3, 4))) static void say(struct Said *said, const char *name,
                                                      const char *format, ...)
{
    char *value = said->values[said->count];
    va_list values;
    va_start(values, format);
    vsnprintf(value, TEXT_MAX, format, values);
    va_end(values);
    said->knobs[said->count++] = (struct Knob){.name = name, .value = value};
}

static void say_time(struct Said *said, const char *name, int64_t ns)
{
    char text[32];
    duration_write(ns, text);
    say(said, name, "%s", text);
}

static void say_checks(struct Said *said, const struct HaproxyConfig *config,
                       const struct Checks *checks)
{
    if (checks->read > 0) {
        say_time(said, "inter", checks->inter_ns);
        say_time(said, "fastinter", checks->fastinter_ns);
        say_time(said, "timeout check", checks->check_ns);
    }
    if (checks->differ)
        say(said, "servers", "differ in these times");
    for (size_t n = 0; n < config->proxies.count; n++)
        if (checks->unread[n])
            say(said, "unread", "%.40s on %.30s", config->config_file, config->hosts[n]->name);
}

static void tell_prospect(struct PageAsk *mine)
{
    const struct Checks *checks = &mine->checks;
    char not_ready[300] = "";
    struct Said said = {.count = 0};
    int64_t fall = -1, rise = -1, unknown = KNOB_UNKNOWN;
    size_t takers, host = taker(mine, &takers);
    for (size_t n = 0; n < PROXIES_MAX && host < mine->system->role->host_count; n++)
        if (mine->answered[n]) {
            fall = mine->servers[n][host].fall;
            rise = mine->servers[n][host].rise;
        }
    find_trap(mine, takers, not_ready, sizeof(not_ready));
    say_checks(&said, mine->system->config, checks);
    if (fall > 0) {
        say(&said, "fall", "%lld", (long long)fall);
        say(&said, "rise", "%lld", (long long)rise);
    }
    struct Forecast forecast;
    bool known = checks->read > 0;
    foretell((const int64_t[]){known ? checks->inter_ns : unknown,
                               known ? checks->fastinter_ns : unknown,
                               known ? checks->check_ns : unknown, fall > 0 ? fall : unknown},
             &forecast);
    mine->done.prospect(
        mine->data,
        &(struct Prospect){.knobs = said.knobs,
                           .knob_count = said.count,
                           .failover = forecast.failover,
                           .not_ready = not_ready[0] != '\0' ? not_ready : NULL,
                           .persistence = PERSIST_ALL, /* the proxy's servers are alike */
                           .keys_at_risk = -1,
                           .durable = "what its disk has"});
}

static bool take_file(struct Ask *ask, size_t proxy, const struct Answer *answer)
{
    haproxy_take_file(&((struct PageAsk *)ask)->checks, proxy, answer);
    return true;
}

void haproxy_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data)
{
    struct PageAsk *mine = begin_page(system, deadline, tell_prospect, data);
    mine->done.prospect = done;
    haproxy_ask_files(system, &mine->ask, take_file, &mine->checks);
}
