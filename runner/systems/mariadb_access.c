/* mariadb_access.c - how clients and we ourselves get into a MariaDB. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mariadb_access.h"

#include <string.h>

#include "../base/arena.h"
#include "../base/text.h"

static struct Where where_of(const struct Node *node, const char *key)
{
    const struct Node *at = node_get(node, key);
    return at != NULL ? at->where : node->where;
}

/* It is pasted into statements, so it is nothing but a name. */
static bool is_table(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_", more[] = "0123456789.";
    for (const char *at = text; *at != '\0'; at++)
        if (strchr(letters, *at) == NULL && (at == text || strchr(more, *at) == NULL))
            return false;
    return text[0] != '\0' && strlen(text) < 100;
}

void mariadb_access_check(struct MariadbAccess *access, const struct Node *node,
                          struct Decode *decode)
{
    const char *fault = mariadb_dsn_fault(access->dsn, true, &access->said);
    if (fault == NULL && access->said.user[0] == '\0')
        fault = "it names no user";
    if (fault == NULL && access->said.database[0] == '\0')
        fault = "it names no database";
    if (fault != NULL)
        problems_say(decode->problems, ERR_VALUE, where_of(node, "dsn"),
                     "write mariadb://drill@db.example.net/shop, or mariadb://drill@/shop",
                     "this is no DSN: %s", fault);
    if (!is_table(access->ledger_table))
        problems_say(decode->problems, ERR_VALUE, where_of(node, "ledger_table"),
                     "write small letters, digits and _, such as drill.ledger",
                     "'%s' is no name of a table", access->ledger_table);
}

void mariadb_access_front(const void *config, struct Endpoint *out)
{
    const struct MariadbAccess *access = config;
    *out = (struct Endpoint){.host = access->said.host[0] != '\0' ? access->said.host : NULL,
                             .port = access->said.port,
                             .secret = access->password,
                             .dsn = access->dsn};
}

void mariadb_access_endpoint(const void *config, const struct Target *host, struct Endpoint *out)
{
    const struct MariadbAccess *access = config;
    *out = (struct Endpoint){.host = target_address(host),
                             .port = (uint16_t)access->port,
                             .secret = access->password,
                             .dsn = access->dsn};
}

/* ---- connections ---- */

struct MariadbLent {
    struct MariadbLent *next;
    struct MariadbClient *client;
    size_t host;
    const char *user; /* as the question had it */
    bool lent;
};

static void give_back(void *data)
{
    struct MariadbLent *lent = data;
    lent->lent = false;
}

static struct MariadbLent *lend(struct MariadbPool *pool, struct Loop *loop, size_t index,
                                const struct MariadbQuestion *question)
{
    struct Endpoint at = {.host = NULL};
    struct Err err = {.code = ERR_OWN};
    for (struct MariadbLent *lent = pool->all; lent != NULL; lent = lent->next)
        if (!lent->lent && lent->host == index && text_equal(lent->user, question->user)) {
            lent->lent = true;
            return lent;
        }
    mariadb_access_endpoint(pool->config, pool->role->hosts[index], &at);
    if (question->user != NULL) {
        at.user = question->user;
        at.secret = question->secret;
    }
    struct MariadbClient *client = mariadb_open(loop, &at, &err);
    if (client == NULL)
        return NULL;
    struct MariadbLent *lent = mem_zero(1, sizeof(*lent));
    *lent = (struct MariadbLent){
        .next = pool->all, .client = client, .host = index, .user = question->user, .lent = true};
    pool->all = lent;
    return lent;
}

bool mariadb_ask_host(struct Ask *ask, struct MariadbPool *pool, size_t index,
                      const struct MariadbQuestion *question, AskFn *fn)
{
    struct MariadbLent *lent = lend(pool, ask->all->loop, index, question);
    if (lent == NULL)
        return false;
    struct AskPart *part = ask_part(ask, index, fn);
    part->owned = lent;
    part->release = give_back;
    part->call = mariadb_call(lent->client, question->text,
                              question->deadline.ns != 0 ? question->deadline : ask->deadline,
                              ask_answered, part);
    return true;
}

void mariadb_pool_close(struct MariadbPool *pool)
{
    while (pool->all != NULL) {
        struct MariadbLent *lent = pool->all;
        pool->all = lent->next;
        mariadb_close(lent->client);
        mem_free(lent);
    }
}
