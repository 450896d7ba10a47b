/* patroni_act.c - a planned switchover, and a failover that is forced. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/duration.h"
#include "../base/json.h"
#include "../base/text.h"
#include "patroni.h"

struct ActAsk {
    struct Ask ask; /* first */
    struct Patroni *system;
    const struct Target *to;  /* NULL: whoever Patroni takes */
    bool sent, forced, looks; /* looks: nothing is sent */
    enum Known answer;
    char why[300];
    void (*done)(void *data, enum Known accepted, const char *why);
    void *data;
};

static void tell_act(struct Ask *ask)
{
    struct ActAsk *mine = (struct ActAsk *)ask;
    mine->done(mine->data, mine->answer, mine->why);
}

static bool say(struct ActAsk *mine, enum Known answer, const char *why)
{
    mine->answer = answer;
    snprintf(mine->why, sizeof(mine->why), "%.*s", (int)strcspn(why, "\r\n"), why);
    return false;
}

/* It answers once the primary has moved, or after 2 * max(10, loop_wait) s that it does not know:
 * then only the primary itself can say. 200 is also "Failed over to X instead of Y". */
static bool take_switchover(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct ActAsk *mine = (struct ActAsk *)ask;
    const char *name = mine->system->role->hosts[index]->name;
    char why[300];
    if (answer->end == CALL_REFUSED) {
        snprintf(why, sizeof(why), "Patroni on %.100s refuses the connection", name);
        return say(mine, KNOWN_NO, why);
    }
    if (answer->end != CALL_ANSWERED) {
        snprintf(why, sizeof(why), "it was sent, and Patroni on %.100s did not answer", name);
        return say(mine, KNOWN_UNKNOWN, why);
    }
    if (answer->code == 200 && strstr(answer->bytes, " instead of ") != NULL)
        return say(mine, KNOWN_UNKNOWN, answer->bytes);
    if (answer->code == 200)
        return say(mine, KNOWN_YES, "");
    if (answer->code == 503 && strstr(answer->bytes, "status unknown") != NULL)
        return say(mine, KNOWN_UNKNOWN, answer->bytes);
    return say(mine, KNOWN_NO, answer->bytes[0] != '\0' ? answer->bytes : "Patroni refused it");
}

struct Member {
    char name[100], address[64], role[32], state[40], lag[24];
};

/* False where there is no such row. */
static bool read_member(const struct JsonText *json, int row, struct Member *out)
{
    char path[40];
    const struct {
        const char *key;
        char *text;
        size_t size;
    } parts[] = {{"name", out->name, sizeof(out->name)},
                 {"host", out->address, sizeof(out->address)},
                 {"role", out->role, sizeof(out->role)},
                 {"state", out->state, sizeof(out->state)},
                 {"lag", out->lag, sizeof(out->lag)}};
    for (size_t n = 0; n < COUNT_OF(parts); n++) {
        snprintf(path, sizeof(path), "members.%d.%s", row, parts[n].key);
        member_text(json, path, parts[n].text, parts[n].size);
    }
    return out->role[0] != '\0';
}

static bool find_member(const struct JsonText *json, const char *wanted, struct Member *out)
{
    for (int n = 0; n < PATRONI_HOSTS_MAX; n++) {
        if (!read_member(json, n, out) || !text_equal(out->role, wanted) ||
            (out->state[0] != '\0' && !text_equal(out->state, "running") &&
             !text_equal(out->state, "streaming")))
            continue;
        return out->name[0] != '\0' && out->address[0] != '\0';
    }
    return false;
}

static bool is_synchronous(const struct Member *member)
{
    return text_equal(member->role, "sync_standby") || text_equal(member->role, "quorum_standby");
}

/* Patroni hands over to nobody else where replication is synchronous. */
static bool find_synchronous(const struct JsonText *json, struct Member *out)
{
    for (int n = 0; n < PATRONI_HOSTS_MAX; n++)
        if (read_member(json, n, out) && is_synchronous(out))
            return true;
    return false;
}

/* Of those that stream the one that is less far behind, by force: what it alone has would be lost
 * by our choice. */
static bool find_ahead(const struct JsonText *json, const struct Member *wanted, struct Member *out)
{
    int64_t behind = 0, other = 0;
    if (!int_parse(wanted->lag, &behind, NULL))
        return false;
    for (int n = 0; n < PATRONI_HOSTS_MAX; n++)
        if (read_member(json, n, out) && !text_equal(out->name, wanted->name) &&
            (is_synchronous(out) || text_equal(out->role, "replica")) &&
            int_parse(out->lag, &other, NULL) && other < behind)
            return true;
    return false;
}

static const char *unfit(const struct ActAsk *mine, const struct JsonText *json,
                         const struct Member *wanted, char why[300])
{
    struct Member other = {.name = ""};
    bool follows = is_synchronous(wanted) || text_equal(wanted->role, "replica");
    bool streams = text_equal(wanted->state, "running") || text_equal(wanted->state, "streaming");
    bool lags = text_equal(wanted->lag, "unknown");
    if (!follows || !streams || lags)
        snprintf(why, 300, "%.80s does not follow the primary: it is %.30s, %.30s%s",
                 mine->to->name, wanted->role, wanted->state, lags ? ", of unknown lag" : "");
    else if (!mine->forced && !is_synchronous(wanted) && find_synchronous(json, &other))
        snprintf(
            why, 300,
            "%.80s is no synchronous standby, as %.80s is, and Patroni hands over to no other: "
            "a synchronous_node_count of all replicas makes it one",
            mine->to->name, other.name);
    else if (mine->forced && find_ahead(json, wanted, &other))
        snprintf(why, 300,
                 "%.80s has more than %.80s, which is named: what it alone has would be "
                 "lost",
                 other.name, mine->to->name);
    else
        return NULL;
    return why;
}

/* Who is to lead is there, and can: why not, or NULL. */
static const char *find_wanted(const struct ActAsk *mine, const struct JsonText *json,
                               struct Member *out, char why[300])
{
    const struct Role *role = mine->system->role;
    for (int n = 0; n < PATRONI_HOSTS_MAX; n++) {
        size_t host = read_member(json, n, out) ? patroni_host_at(mine->system, out->address)
                                                : role->host_count;
        if (host < role->host_count && role->hosts[host] == mine->to)
            return unfit(mine, json, out, why);
    }
    snprintf(why, 300, "Patroni knows no member at %.100s", mine->to->name);
    return why;
}

/* Whom it is sent to, by the name that Patroni has for it: the leader that gives its place up, or,
 * forced, who is to have it, for the leader may be gone. */
static bool find_whom(const struct JsonText *json, bool forced, struct Member *out)
{
    if (!forced)
        return find_member(json, "leader", out);
    return find_member(json, "sync_standby", out) || find_member(json, "quorum_standby", out) ||
           find_member(json, "replica", out);
}

static void send(struct ActAsk *mine, size_t host, const struct Member *whom,
                 const struct Member *wanted)
{
    struct Buf body = BUF(600);
    struct Json out = json_begin(&body, false);
    json_open_object(&out);
    json_put_text(&out, mine->forced ? "candidate" : "leader", whom->name);
    if (!mine->forced && mine->to != NULL)
        json_put_text(&out, "candidate", wanted->name);
    json_end(&out);
    mine->sent = true;
    say(mine, KNOWN_UNKNOWN, "");
    patroni_ask_host(&mine->ask, mine->system, host,
                     &(struct PatroniRequest){.path = mine->forced ? "/failover" : "/switchover",
                                              .body = body.text,
                                              .deadline = mine->ask.deadline},
                     take_switchover);
    buf_free(&body);
}

/* Sent once. */
static bool take_cluster(struct Ask *ask, size_t index, const struct Answer *answer)
{
    (void)index;
    struct ActAsk *mine = (struct ActAsk *)ask;
    struct JsonText *json = mine->sent ? NULL : patroni_json(answer);
    struct Member whom = {.name = ""}, wanted = {.name = ""};
    char why[300];
    bool told = json != NULL && read_member(json, 0, &whom); /* else it lists nobody */
    const char *lacks = told && mine->to != NULL ? find_wanted(mine, json, &wanted, why) : NULL;
    bool known = told && lacks == NULL && find_whom(json, mine->forced, &whom);
    json_text_free(json);
    if (mine->forced && mine->to != NULL)
        whom = wanted;
    size_t host =
        known ? patroni_host_at(mine->system, whom.address) : mine->system->role->host_count;
    if (lacks != NULL)
        say(mine, KNOWN_NO, lacks);
    else if (known && mine->looks)
        say(mine, KNOWN_YES, "");
    else if (host < mine->system->role->host_count)
        send(mine, host, &whom, &wanted);
    return true;
}

static void ask_cluster(struct Patroni *system, const struct ActAsk *what, struct Mono deadline)
{
    struct ActAsk *mine = ask_begin(&system->asking, sizeof(*mine), deadline, tell_act);
    const struct Ask ask = mine->ask;
    *mine = *what;
    mine->ask = ask;
    mine->system = system;
    say(mine, mine->looks ? KNOWN_UNKNOWN : KNOWN_NO,
        mine->forced ? "no Patroni names a replica" : "no Patroni names a leader");
    patroni_ask_hosts(&mine->ask, system, "/cluster", take_cluster);
    ask_go(&mine->ask);
}

void patroni_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                      void (*done)(void *data, enum Known accepted, const char *why), void *data)
{
    ask_cluster(
        system,
        &(struct ActAsk){.to = wish->to, .forced = wish->forced, .done = done, .data = data},
        deadline);
}

void patroni_ask_fit(void *system, const struct Target *host, struct Mono deadline,
                     void (*done)(void *data, enum Known fit, const char *why), void *data)
{
    ask_cluster(system, &(struct ActAsk){.to = host, .looks = true, .done = done, .data = data},
                deadline);
}
