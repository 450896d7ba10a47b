/* patroni_act.c - a planned switchover, and a failover that is forced. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/json.h"
#include "../base/text.h"
#include "patroni.h"

struct ActAsk {
    struct Ask ask; /* first */
    struct Patroni *system;
    bool sent, forced;
    enum Known answer;
    char why[200];
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
 * then only the primary itself can say. */
static bool take_switchover(struct Ask *ask, size_t index, const struct Answer *answer)
{
    (void)index;
    struct ActAsk *mine = (struct ActAsk *)ask;
    if (answer->end == CALL_REFUSED)
        return say(mine, KNOWN_NO, "Patroni refuses the connection");
    if (answer->end != CALL_ANSWERED)
        return say(mine, KNOWN_UNKNOWN, "it was sent, and Patroni did not answer");
    if (answer->code == 200)
        return say(mine, KNOWN_YES, "");
    if (answer->code == 503 && strstr(answer->bytes, "status unknown") != NULL)
        return say(mine, KNOWN_UNKNOWN, answer->bytes);
    return say(mine, KNOWN_NO, answer->bytes[0] != '\0' ? answer->bytes : "Patroni refused it");
}

struct Member {
    char name[100], address[64];
};

static bool find_member(const struct JsonText *json, const char *wanted, struct Member *out)
{
    char path[40], role[32], state[40];
    for (int n = 0; n < PATRONI_HOSTS_MAX; n++) {
        snprintf(path, sizeof(path), "members.%d.role", n);
        member_text(json, path, role, sizeof(role));
        snprintf(path, sizeof(path), "members.%d.state", n);
        member_text(json, path, state, sizeof(state));
        if (!text_equal(role, wanted) ||
            (state[0] != '\0' && !text_equal(state, "running") && !text_equal(state, "streaming")))
            continue;
        snprintf(path, sizeof(path), "members.%d.name", n);
        member_text(json, path, out->name, sizeof(out->name));
        snprintf(path, sizeof(path), "members.%d.host", n);
        member_text(json, path, out->address, sizeof(out->address));
        return out->name[0] != '\0' && out->address[0] != '\0';
    }
    return false;
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

/* Sent once. */
static bool take_cluster(struct Ask *ask, size_t index, const struct Answer *answer)
{
    (void)index;
    struct ActAsk *mine = (struct ActAsk *)ask;
    struct JsonText *json = mine->sent ? NULL : patroni_json(answer);
    struct Member whom = {.name = ""};
    bool known = json != NULL && find_whom(json, mine->forced, &whom);
    json_text_free(json);
    size_t host =
        known ? patroni_host_at(mine->system, whom.address) : mine->system->role->host_count;
    if (mine->sent || host == mine->system->role->host_count)
        return true;
    struct Buf body = BUF(400);
    struct Json out = json_begin(&body, false);
    json_open_object(&out);
    json_put_text(&out, mine->forced ? "candidate" : "leader", whom.name);
    json_end(&out);
    mine->sent = true;
    say(mine, KNOWN_UNKNOWN, "");
    patroni_ask_host(ask, mine->system, host,
                     &(struct PatroniRequest){.path = mine->forced ? "/failover" : "/switchover",
                                              .body = body.text,
                                              .deadline = ask->deadline},
                     take_switchover);
    buf_free(&body);
    return true;
}

void patroni_failover(void *data, const struct FailoverWish *wish, struct Mono deadline,
                      void (*done)(void *data, enum Known accepted, const char *why),
                      void *done_data)
{
    struct Patroni *system = data;
    struct ActAsk *mine = ask_begin(&system->asking, sizeof(*mine), deadline, tell_act);
    mine->system = system;
    mine->forced = wish->forced;
    mine->done = done;
    mine->data = done_data;
    say(mine, KNOWN_NO, mine->forced ? "no Patroni names a replica" : "no Patroni names a leader");
    patroni_ask_hosts(&mine->ask, system, "/cluster", take_cluster);
    ask_go(&mine->ask);
}
