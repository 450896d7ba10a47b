/* patroni_act.c - a planned switchover. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/json.h"
#include "../base/text.h"
#include "patroni.h"

struct ActAsk {
    struct Ask ask; /* first */
    struct Patroni *system;
    bool sent;
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

static bool find_leader(const struct JsonText *json, char *name, size_t name_size, char *address,
                        size_t address_size)
{
    char path[40], role[32];
    for (int n = 0; n < PATRONI_HOSTS_MAX; n++) {
        snprintf(path, sizeof(path), "members.%d.role", n);
        member_text(json, path, role, sizeof(role));
        if (!text_equal(role, "leader"))
            continue;
        snprintf(path, sizeof(path), "members.%d.name", n);
        member_text(json, path, name, name_size);
        snprintf(path, sizeof(path), "members.%d.host", n);
        member_text(json, path, address, address_size);
        return name[0] != '\0' && address[0] != '\0';
    }
    return false;
}

/* Sent once, to the leader itself, by the name that Patroni has for it. */
static bool take_cluster(struct Ask *ask, size_t index, const struct Answer *answer)
{
    (void)index;
    struct ActAsk *mine = (struct ActAsk *)ask;
    struct JsonText *json = mine->sent ? NULL : patroni_json(answer);
    char name[100] = "", address[64] = "";
    bool known = json != NULL && find_leader(json, name, sizeof(name), address, sizeof(address));
    json_text_free(json);
    size_t host = known ? patroni_host_at(mine->system, address) : mine->system->role->host_count;
    if (mine->sent || host == mine->system->role->host_count)
        return true;
    struct Buf body = BUF(400);
    struct Json out = json_begin(&body, false);
    json_open_object(&out);
    json_put_text(&out, "leader", name);
    json_end(&out);
    mine->sent = true;
    say(mine, KNOWN_UNKNOWN, "");
    patroni_ask_host(ask, mine->system, host,
                     &(struct PatroniRequest){
                         .path = "/switchover", .body = body.text, .deadline = ask->deadline},
                     take_switchover);
    buf_free(&body);
    return true;
}

void patroni_failover(void *data, struct Mono deadline,
                      void (*done)(void *data, enum Known accepted, const char *why),
                      void *done_data)
{
    struct Patroni *system = data;
    struct ActAsk *mine = ask_begin(&system->asking, sizeof(*mine), deadline, tell_act);
    mine->system = system;
    mine->done = done;
    mine->data = done_data;
    say(mine, KNOWN_NO, "no Patroni names a leader");
    patroni_ask_hosts(&mine->ask, system, "/cluster", take_cluster);
    ask_go(&mine->ask);
}
