/* mariadb_act.c - a planned switchover: no coordinator does it, so its steps are ours. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "../model/environment.h"
#include "mariadb_system.h"

/* How long open transactions, and then the candidate, are waited for before it is put back. */
#define WAIT_MOST_NS (12 * NS_PER_S)
#define LOCK_MOST_S "5"
#define CATCH_UP_MOST_S "10"

struct ActAsk {
    struct MariadbAsk look; /* first */
    size_t old, new;
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
    char line[sizeof(mine->why)];
    snprintf(line, sizeof(line), "%.*s", (int)strcspn(why, "\r\n"), why);
    memcpy(mine->why, line, sizeof(line));
    mine->answer = answer;
    return false;
}

static const char *name_of(const struct ActAsk *mine, size_t host)
{
    return mine->look.system->role->hosts[host]->name;
}

static void tell_host(struct ActAsk *mine, size_t host, const char *text, AskFn *fn)
{
    const struct MariadbConfig *config = mine->look.system->config;
    struct Mono limit = mono_add(mono_now(), WAIT_MOST_NS);
    mariadb_ask_host(
        &mine->look.ask, &mine->look.system->pool, host,
        &(struct MariadbQuestion){.text = text,
                                  .user = config->admin,
                                  .secret = config->admin_password,
                                  .deadline = mono_min(limit, mine->look.ask.deadline)},
        fn);
}

static bool is_good(const struct Answer *answer)
{
    return answer->end == CALL_ANSWERED && answer->code == MARIADB_ROWS;
}

static const char *said(const struct Answer *answer)
{
    return answer->bytes[0] != '\0' ? answer->bytes : call_end_name(answer->end);
}

/* ---- before anybody was promoted, it can be put back ---- */

static bool take_put_back(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct ActAsk *mine = (struct ActAsk *)ask;
    if (is_good(answer))
        return say(mine, KNOWN_NO, mine->why);
    char text[300];
    snprintf(text, sizeof(text), "%.120s; read_only stays on at %.60s: %.60s", mine->why,
             name_of(mine, index), said(answer));
    return say(mine, KNOWN_NO, text);
}

static bool put_back(struct ActAsk *mine, const char *why, const struct Answer *answer)
{
    snprintf(mine->why, sizeof(mine->why), "%.80s: %.180s", why, said(answer));
    mine->answer = KNOWN_UNKNOWN;
    tell_host(mine, mine->old, "set global read_only = 0", take_put_back);
    return true;
}

/* ---- after it, only the others can be told ---- */

/* Who does not follow is seen as redundancy that is lacking. */
static bool take_follow(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct ActAsk *mine = (struct ActAsk *)ask;
    if (!is_good(answer))
        snprintf(mine->why, sizeof(mine->why), "%.80s does not follow: %.180s",
                 name_of(mine, index), said(answer));
    return true;
}

/* In quotes; a server that was told to read backslashes as letters is told otherwise. */
static void quote(const char *text, struct Buf *out)
{
    buf_char(out, '\'');
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\'' || *at == '\\')
            buf_char(out, '\\');
        buf_char(out, *at);
    }
    buf_char(out, '\'');
}

static void tell_to_follow(struct ActAsk *mine, size_t host)
{
    const struct Mariadb *system = mine->look.system;
    const struct MariadbConfig *config = system->config;
    struct Buf text = BUF(2000);
    buf_put(&text, "begin not atomic set session sql_mode = ''; ");
    if (host == mine->old)
        buf_put(&text, "set global gtid_slave_pos = @@global.gtid_current_pos; ");
    else
        buf_put(&text, "stop slave; ");
    buf_put(&text, "change master to master_host = ");
    quote(mariadb_address(system->role->hosts[mine->new]), &text);
    buf_printf(&text, ", master_port = %lld, master_use_gtid = slave_pos, master_connect_retry = 1",
               (long long)config->access.port);
    if (host == mine->old) {
        buf_put(&text, ", master_user = ");
        quote(config->replication, &text);
        buf_put(&text, ", master_password = ");
        quote(config->replication_password != NULL
                  ? environment_secret(config->replication_password)
                  : "",
              &text);
    }
    buf_put(&text, "; start slave; end");
    tell_host(mine, host, text.text, take_follow);
    buf_free(&text);
}

static bool take_promoted(struct Ask *ask, size_t index, const struct Answer *answer)
{
    (void)index;
    struct ActAsk *mine = (struct ActAsk *)ask;
    if (answer->end == CALL_ANSWERED && answer->code == MARIADB_ERROR)
        return put_back(mine, "the candidate was not promoted", answer);
    if (!is_good(answer))
        return say(mine, KNOWN_UNKNOWN, "the candidate was told to lead, and did not answer");
    say(mine, KNOWN_YES, "");
    for (size_t n = 0; n < mine->look.system->role->host_count; n++)
        if (n != mine->new)
            tell_to_follow(mine, n);
    return true;
}

/* ---- step by step ---- */

static bool take_caught_up(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct ActAsk *mine = (struct ActAsk *)ask;
    if (!is_good(answer) || !text_equal(answer->bytes, "0"))
        return put_back(mine, "the candidate did not catch up in " CATCH_UP_MOST_S " s", answer);
    tell_host(mine, index,
              "begin not atomic stop slave; reset slave all; set global read_only = 0; end",
              take_promoted);
    return true;
}

static bool take_position(struct Ask *ask, size_t index, const struct Answer *answer)
{
    (void)index;
    struct ActAsk *mine = (struct ActAsk *)ask;
    char text[400];
    if (!is_good(answer) || strspn(answer->bytes, "0123456789-,") != answer->size)
        return put_back(mine, "the primary does not say where its log ends", answer);
    snprintf(text, sizeof(text), "select master_gtid_wait('%.300s', " CATCH_UP_MOST_S ")",
             answer->bytes);
    tell_host(mine, mine->new, text, take_caught_up);
    return true;
}

static bool take_closed(struct Ask *ask, size_t index, const struct Answer *answer)
{
    struct ActAsk *mine = (struct ActAsk *)ask;
    if (answer->end == CALL_ANSWERED && answer->code == MARIADB_ERROR)
        return say(mine, KNOWN_NO, answer->bytes); /* it was not set */
    if (!is_good(answer))
        return put_back(mine, "the primary did not become read-only", answer);
    tell_host(mine, index, "select @@global.gtid_binlog_pos", take_position);
    return true;
}

static bool begin_act(struct MariadbAsk *look)
{
    struct ActAsk *mine = (struct ActAsk *)look;
    size_t hosts = look->system->role->host_count;
    mine->old = mariadb_primary(look, NULL);
    mine->new = hosts;
    if (mine->old == hosts)
        return say(mine, KNOWN_NO, "no host is known to be the primary");
    for (size_t n = 0; n < hosts; n++) {
        const struct MariadbLook *at = &look->hosts[n];
        if (n != mine->old && (!at->follows || !at->runs)) {
            snprintf(mine->why, sizeof(mine->why), "%.80s does not replicate", name_of(mine, n));
            mine->answer = KNOWN_NO;
            return false;
        }
        if (n != mine->old &&
            (mine->new == hosts || at->behind_s < look->hosts[mine->new].behind_s))
            mine->new = n;
    }
    if (mine->new == hosts)
        return say(mine, KNOWN_NO, "there is no replica");
    tell_host(mine, mine->old,
              "set session lock_wait_timeout = " LOCK_MOST_S ", global read_only = 1", take_closed);
    return true;
}

void mariadb_failover(void *data, struct Mono deadline,
                      void (*done)(void *data, enum Known accepted, const char *why),
                      void *done_data)
{
    struct Mariadb *system = data;
    struct ActAsk *mine = ask_begin(&system->asking, sizeof(*mine), deadline, tell_act);
    mine->look.system = system;
    mine->look.then = begin_act;
    mine->done = done;
    mine->data = done_data;
    say(mine, KNOWN_NO, "no host answers");
    if (system->config->replication == NULL)
        say(mine, KNOWN_NO, "`replication:` does not say as whom the old primary is to follow");
    else
        mariadb_look_all(&mine->look);
    ask_go(&mine->look.ask);
}
