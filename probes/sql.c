/* sql.c - sends a statement to the primary of a role, or to a server, and looks at the rows. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "../runner/base/arena.h"
#include "../runner/base/text.h"
#include "../runner/clients/postgres.h"
#include "../runner/schema/decode.h"
#include "asker.h"
#include "kinds.h"
#include "reply.h"

struct SqlOk {
    const char *value;
    int64_t rows; /* -1: any number */
    int64_t under_ns;
};
struct SqlConfig {
    const char *subject, *query, *password;
    const struct SqlOk *ok;
    int64_t under_ns; /* ok's, where the engine finds it */
    const char *role; /* the subject, where it is no DSN */
};

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
     .doc = "What the first value of the first row must be, as psql shows it."},
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
            "postgresql://drill@10.0.0.1:5432/shop."},
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
    .summary = "sends a statement to PostgreSQL",
    .config = {.name = "sql",
               .doc = "Sends a statement to a role's primary or to one PostgreSQL, on a new "
                      "connection.",
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

static void sql_check(const void *record, const struct Node *node, struct Decode *decode)
{
    struct SqlConfig *config = (struct SqlConfig *)record;
    uint16_t port = 0;
    const struct Node *subject = node_get(node, "sql");
    struct Where where = subject != NULL ? subject->where : node->where;
    config->under_ns = config->ok->under_ns;
    bool is_dsn = strstr(config->subject, "://") != NULL;
    if (!is_dsn && !reference_present(config->subject))
        config->role = config->subject;
    const char *fault = is_dsn && !reference_present(config->subject)
                            ? postgres_dsn_fault(config->subject, NULL, 0, &port)
                            : NULL;
    if (fault != NULL)
        problems_say(decode->problems, ERR_VALUE, where,
                     "write a role's name, or postgresql://drill@10.0.0.1:5432/shop",
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

static struct Call *ask(const void *data, struct Client *client, struct Mono deadline, void *slot)
{
    const struct SqlProbe *probe = data;
    return postgres_call((struct PostgresClient *)client,
                         &(struct PostgresQuery){.text = probe->config->query}, deadline,
                         asker_answered, slot);
}

/* Whether the rows are what `ok` wants; else `detail` says what they are. */
static bool is_good(const struct SqlOk *ok, const struct Answer *answer, struct Buf *detail)
{
    const struct PostgresRows *rows = postgres_rows(answer);
    const char *value = postgres_value(rows, 0, 0);
    size_t count = postgres_row_count(rows);
    if (ok->rows >= 0 && count != (size_t)ok->rows)
        buf_printf(detail, "%zu rows", count);
    else if (ok->value != NULL && !text_equal(value, ok->value))
        buf_printf(detail, "the value is %s", value != NULL ? value : "NULL");
    return detail->size == 0;
}

static void judge(const void *data, const struct Answer *answer, struct Reply *reply,
                  struct Buf *detail)
{
    const struct SqlProbe *probe = data;
    if (answer->code == POSTGRES_ERROR) {
        *reply = reply_of_refusal(answer, postgres_failure(answer));
    } else if (!is_good(probe->config->ok, answer, detail)) {
        reply->outcome = OUTCOME_FAILED;
        reply->failure = FAILURE_CONTENT;
        reply->detail = detail->text;
    }
}

/* ---- opening ---- */

static bool open_it(struct SqlProbe *probe, const struct ProbeInput *input, struct Loop *loop,
                    struct Err *err)
{
    static const struct AskerKind kind = {.client = &postgres_client, .ask = ask, .judge = judge};
    const struct SqlConfig *config = input->config;
    struct Endpoint server = {.secret = config->password, .dsn = config->subject};
    char host[256] = "";
    const char *fault = input->role == NULL
                            ? postgres_dsn_fault(config->subject, host, sizeof(host), &server.port)
                            : NULL;
    if (fault != NULL)
        return err_set(err, ERR_VALUE, NOWHERE, "no DSN: %s", fault);
    server.host = host;
    return asker_open(&probe->asker, &kind, input, loop, &server, err);
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
