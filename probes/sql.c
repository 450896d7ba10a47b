/* sql.c - sends a statement to the primary of a role, or to a server, and looks at the rows. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "../runner/base/arena.h"
#include "../runner/base/text.h"
#include "../runner/clients/mariadb.h"
#include "../runner/clients/postgres.h"
#include "../runner/schema/decode.h"
#include "asker.h"
#include "kinds.h"
#include "reply.h"
#include "sql.h"

static const struct Field ok_fields[] = {
    {.name = "rows",
     .type = FIELD_INT,
     .offset = offsetof(struct SqlOk, rows),
     .fallback = "-1",
     .min = -1,
     .max = 1000000,
     .example = "1",
     .doc = "How many rows there must be; -1: any number."},
    {.name = "value",
     .type = FIELD_TEXT,
     .offset = offsetof(struct SqlOk, value),
     .example = "t",
     .doc = "What the first value of the first row must be, as psql or mariadb -N shows it."},
    {.name = "under",
     .type = FIELD_DURATION,
     .offset = offsetof(struct SqlOk, under_ns),
     .min = NS_PER_MS,
     .max = 60 * NS_PER_S,
     .example = "100ms",
     .doc = UNDER_DOC},
    {.name = NULL}};
static const struct Record ok_record = {.name = "ok",
                                        .doc = "What a good answer is.",
                                        .size = sizeof(struct SqlOk),
                                        .fields = ok_fields};
static const struct Field sql_fields[] = {
    {.name = "server",
     .type = FIELD_TEXT,
     .offset = offsetof(struct SqlConfig, subject),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "postgres",
     .doc = "A role, whose primary is found as a client finds it, or a DSN: "
            "postgresql://drill@10.0.0.1:5432/shop, mariadb://drill@10.0.0.1:3306/shop."},
    {.name = "query",
     .type = FIELD_TEXT,
     .offset = offsetof(struct SqlConfig, query),
     .fallback = "\"select 1\"",
     .example = "\"select count(*) from products where active\"",
     .doc = "The statement that is sent."},
    {.name = "password",
     .type = FIELD_TEXT,
     .offset = offsetof(struct SqlConfig, password),
     .flags = FIELD_SECRET,
     .example = "\"${secret.db}\"",
     .doc = "With a DSN: the password; a role has its own."},
    {.name = "ok",
     .type = FIELD_RECORD,
     .offset = offsetof(struct SqlConfig, ok),
     .flags = FIELD_ALWAYS,
     .of = &ok_record,
     .example = "{rows: 1, under: 100ms}",
     .doc = "What a good answer is; without it, any that is no error."},
    {.name = NULL}};

static void sql_check(const void *record, const struct Node *node, struct Decode *decode);
static void *sql_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err);
static void sql_close(void *probe);
static void sql_say(const void *config, struct Buf *out);

struct SqlProbe {
    struct Asker asker; /* first */
    const struct SqlConfig *config;
};

const struct ProbeKind sql_probe = {
    .name = "sql",
    .summary = "sends a statement to PostgreSQL, MariaDB or MySQL",
    .config = {.name = "sql",
               .doc = "Sends a statement to a role's primary, or to one PostgreSQL, MariaDB or "
                      "MySQL, on a new connection.",
               .size = sizeof(struct SqlConfig),
               .fields = sql_fields,
               .check = sql_check},
    .needs_role = true,
    .role_offset = offsetof(struct SqlConfig, role),
    .under_offset = 1 + offsetof(struct SqlConfig, under_ns),
    .slot_size = sizeof(struct AskerSlot),
    .open = sql_open,
    .start = asker_start,
    .cancel = asker_cancel,
    .close = sql_close,
    .say = sql_say,
};

/* ---- what stands in the file ---- */

bool sql_is_mariadb(const char *dsn)
{
    return dsn != NULL && (text_starts(dsn, "mariadb://") || text_starts(dsn, "mysql://"));
}

const char *sql_dsn_fault(const char *dsn, char host[256], uint16_t *port)
{
    struct MariadbDsn said = {.port = 0};
    if (!sql_is_mariadb(dsn) && !text_starts(dsn, "postgres"))
        return "it begins with postgresql://, mariadb:// or mysql://";
    if (!sql_is_mariadb(dsn))
        return postgres_dsn_fault(dsn, host, 256, port);
    const char *fault = mariadb_dsn_fault(dsn, false, &said);
    memcpy(host, said.host, sizeof(said.host));
    *port = said.port;
    return fault;
}

static void sql_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct SqlConfig *config = (struct SqlConfig *)record;
    uint16_t port = 0;
    char host[256];
    const struct Node *subject = node_get(node, "sql");
    struct Where where = subject != NULL ? subject->where : node->where;
    config->under_ns = config->ok->under_ns;
    bool is_dsn = strstr(config->subject, "://") != NULL;
    if (!is_dsn && !reference_present(config->subject))
        config->role = config->subject;
    const char *fault = is_dsn && !reference_present(config->subject)
                            ? sql_dsn_fault(config->subject, host, &port)
                            : NULL;
    if (fault != NULL)
        problems_say(decode->problems, ERR_VALUE, where,
                     sql_is_mariadb(config->subject)
                         ? "write a role's name, or mariadb://drill@10.0.0.1:3306/shop"
                         : "write a role's name, or postgresql://drill@10.0.0.1:5432/shop",
                     "this is no DSN: %s", fault);
    if (config->role != NULL && config->password != NULL)
        problems_say(decode->problems, ERR_VALUE, where, "write it at the role's system",
                     "the password of role '%s' stands in the environment", config->role);
    if (config->query[strspn(config->query, " \n")] == '\0')
        problems_say(decode->problems, ERR_VALUE, where, NULL, "the query is empty");
}

static void sql_say(const void *data, struct Buf *out)
{
    const struct SqlConfig *config = data;
    buf_printf(out, "%s to %s%s", config->query, config->role != NULL ? "the primary of " : "",
               config->subject);
}

/* ---- what is asked, and what came ---- */

void sql_judge(const struct SqlOk *ok, size_t count, const char *value, struct Buf *out)
{
    if (ok->rows >= 0 && count != (size_t)ok->rows)
        buf_printf(out, "%zu rows", count);
    else if (ok->value != NULL && !text_equal(value, ok->value))
        buf_printf(out, "the value is %s", value != NULL ? value : "NULL");
}

/* Whether the rows are what `ok` wants; else the reply says what they are. */
static void judge_rows(const struct SqlProbe *probe, size_t count, const char *value,
                       struct Reply *reply, struct Buf *detail)
{
    sql_judge(probe->config->ok, count, value, detail);
    if (detail->size == 0)
        return;
    reply->outcome = OUTCOME_FAILED;
    reply->failure = FAILURE_CONTENT;
    reply->detail = detail->text;
}

static struct Call *ask_postgres(const void *data, struct Client *client, struct Mono deadline,
                                 void *slot)
{
    const struct SqlProbe *probe = data;
    return postgres_call((struct PostgresClient *)client,
                         &(struct PostgresQuery){.text = probe->config->query}, deadline,
                         asker_answered, slot);
}

static void judge_postgres(const void *probe, const struct Answer *answer, struct Reply *reply,
                           struct Buf *detail)
{
    if (answer->code == POSTGRES_ERROR)
        *reply = reply_of_refusal(answer, postgres_failure(answer));
    else
        judge_rows(probe, postgres_row_count(postgres_rows(answer)),
                   postgres_value(postgres_rows(answer), 0, 0), reply, detail);
}

static struct Call *ask_mariadb(const void *data, struct Client *client, struct Mono deadline,
                                void *slot)
{
    const struct SqlProbe *probe = data;
    return mariadb_call((struct MariadbClient *)client, probe->config->query, deadline,
                        asker_answered, slot);
}

static void judge_mariadb(const void *probe, const struct Answer *answer, struct Reply *reply,
                          struct Buf *detail)
{
    if (answer->code == MARIADB_ERROR)
        *reply = reply_of_refusal(answer, mariadb_failure(answer));
    else
        judge_rows(probe, mariadb_row_count(mariadb_rows(answer)),
                   mariadb_value(mariadb_rows(answer), 0, 0), reply, detail);
}

/* ---- opening ---- */

static const struct AskerKind of_postgres = {
    .client = &postgres_client, .ask = ask_postgres, .judge = judge_postgres};
static const struct AskerKind of_mariadb = {
    .client = &mariadb_client, .ask = ask_mariadb, .judge = judge_mariadb};

/* A role's hosts speak as its system says. */
static const char *dsn_of(const struct ProbeInput *input)
{
    const struct SqlConfig *config = input->config;
    const struct Role *role = input->role;
    struct Endpoint at = {.dsn = config->subject};
    if (role != NULL && role->system != NULL && role->system->endpoint != NULL)
        role->system->endpoint(role->system_config, role->hosts[0], &at);
    return at.dsn;
}

static bool open_it(struct SqlProbe *probe, const struct ProbeInput *input, struct Loop *loop,
                    struct Err *err)
{
    const struct SqlConfig *config = input->config;
    struct Endpoint server = {.secret = config->password, .dsn = config->subject};
    char host[256] = "";
    const char *fault =
        input->role == NULL ? sql_dsn_fault(config->subject, host, &server.port) : NULL;
    if (fault != NULL)
        return err_set(err, ERR_VALUE, NOWHERE, "no DSN: %s", fault);
    server.host = host;
    return asker_open(&probe->asker, sql_is_mariadb(dsn_of(input)) ? &of_mariadb : &of_postgres,
                      input, loop, &server, err);
}

static void *sql_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err)
{
    struct SqlProbe *probe = mem_zero(1, sizeof(*probe));
    probe->config = input->config;
    if (open_it(probe, input, loop, err))
        return probe;
    sql_close(probe);
    return NULL;
}

static void sql_close(void *data)
{
    struct SqlProbe *probe = data;
    asker_close(&probe->asker);
    mem_free(probe);
}
