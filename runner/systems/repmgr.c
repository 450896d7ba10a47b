/* repmgr.c - PostgreSQL with streaming replicas, failed over by repmgrd. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "repmgr.h"

#include <stddef.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/text.h"
#include "kinds.h"

static const struct Field repmgr_fields[] = {
    POSTGRES_ACCESS_FIELDS,
    POSTGRES_REWIND_FIELDS,
    {.name = "repmgr_config",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RepmgrConfig, file),
     .fallback = "/etc/repmgr.conf",
     .example = "/etc/repmgr/15/repmgr.conf",
     .doc = "The file of repmgr on the hosts."},
    {.name = "repmgr_database",
     .type = FIELD_TEXT,
     .offset = offsetof(struct RepmgrConfig, database),
     .fallback = "repmgr",
     .example = "repmgr",
     .doc = "The database that has repmgr's own tables; the DSN's user reads them there: grant "
            "usage on schema repmgr, and select on its tables."},
    {.name = NULL}};

static void repmgr_check(const void *record, const struct Node *node, struct Decode *decode);
static void *repmgr_open(const void *config, const struct Role *role, struct Loop *loop,
                         struct Err *err);
static void repmgr_close(void *system);

const struct SystemKind repmgr_system = {
    .name = "repmgr",
    .summary = "PostgreSQL and its streaming replicas, failed over by repmgrd",
    .config = {.name = "repmgr",
               .doc = "PostgreSQL with streaming replicas, failed over by repmgrd, which demotes "
                      "nobody: a primary comes back rewound, as a replica, and is registered as "
                      "one; what would hide one that runs from its replicas is refused. A planned "
                      "failover is repmgr's own switchover, run on the host that takes over as the "
                      "user that the data belongs to, so that we log in there as that user or as "
                      "root; it goes on to its end there, whatever becomes of us.",
               .size = sizeof(struct RepmgrConfig),
               .fields = repmgr_fields,
               .check = repmgr_check},
    .open = repmgr_open,
    .ask_standing = postgres_ask_standing,
    .ask_control = repmgr_ask_control,
    .ask_redundancy = repmgr_ask_redundancy,
    .ask_prospect = repmgr_ask_prospect,
    .failover = repmgr_failover,
    .acts_on_hosts = true,
    .never_demotes = true,
    .plan_rejoin = repmgr_plan_rejoin,
    .plan_ready = postgres_plan_ready,
    .find_primary = postgres_find_primary,
    .find_last = postgres_find_last,
    .endpoint = access_endpoint,
    .front = postgres_front,
    .knobs = &repmgr_knobs,
    .ledger = &patroni_ledger,
    .cancel = postgres_cancel,
    .close = repmgr_close,
};

/* The name of the database becomes part of a DSN. */
static bool is_name(const char *text)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return text[0] != '\0' && text[strspn(text, letters)] == '\0';
}

static void repmgr_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct RepmgrConfig *config = record;
    postgres_check(record, node, decode);
    if (!reference_present(config->file) &&
        (config->file[0] != '/' || strpbrk(config->file, "'\r\n") != NULL))
        access_wrong(decode, node, "repmgr_config", "write the path from the root", "absolute path",
                     config->file);
    if (!is_name(config->database))
        access_wrong(decode, node, "repmgr_database", "write letters, digits, _ and -",
                     "name of a database", config->database);
}

/* ---- opening and closing ---- */

/* The same user and options, and another database: postgresql://user@host:port/DATABASE?options. */
static char *dsn_of(const char *dsn, const char *database)
{
    const char *at = strstr(dsn, "://");
    at = at != NULL ? at + strlen("://") : dsn;
    size_t head = (size_t)(at - dsn) + strcspn(at, "/?");
    const char *options = strchr(dsn + head, '?');
    struct Buf text = BUF(4096);
    buf_printf(&text, "%.*s/%s%s", (int)head, dsn, database, options != NULL ? options : "");
    char *out = mem_text(text.text);
    buf_free(&text);
    return out;
}

static void *repmgr_open(const void *config, const struct Role *role, struct Loop *loop,
                         struct Err *err)
{
    struct Repmgr *system = mem_zero(1, sizeof(*system));
    const struct RepmgrConfig *mine = config;
    if (!postgres_begin(&system->postgres, config, role, loop, err)) {
        mem_free(system);
        return NULL;
    }
    system->config = mine;
    system->dsn = dsn_of(mine->postgres.access.dsn, mine->database);
    return system;
}

static void repmgr_close(void *data)
{
    struct Repmgr *system = data;
    postgres_end(&system->postgres);
    for (size_t n = 0; n < system->postgres.role->host_count; n++)
        postgres_close(system->tables[n]);
    mem_free(system->dsn);
    mem_free(system);
}
