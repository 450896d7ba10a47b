/* run_sql.c - a step that sends one statement to a database, from here. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../probes/leader.h"
#include "../../probes/sql.h"
#include "../base/duration.h"
#include "../base/text.h"
#include "../clients/mariadb.h"
#include "../clients/postgres.h"
#include "../model/redact.h"
#include "run_parts.h"

enum { SAID_MOST = 4096 };

struct Statement {
    struct StepRun *step;
    const struct SqlConfig *config;
    struct ProbeInput input; /* as a probe of it would be asked */
    struct Ways ways;        /* of a role; else all zero */
    struct Leader leader;
    struct Mono deadline;
    struct PostgresClient *postgres; /* one of both */
    struct MariadbClient *mariadb;
};

void statement_close(struct StepRun *step)
{
    struct Statement *statement = step->statement;
    if (statement == NULL)
        return;
    step->statement = NULL;
    postgres_close(statement->postgres);
    if (statement->mariadb != NULL)
        mariadb_close(statement->mariadb);
    if (statement->ways.role != NULL)
        leader_close(&statement->leader);
    ways_close(&statement->ways);
}

static void fail(struct StepRun *step, const char *why)
{
    char text[400];
    struct Buf clean = BUF(SAID_MOST); /* whole, before it is cut off */
    redact(why, &clean);
    snprintf(text, sizeof text, "step %u: %.300s", step->index + 1, clean.text);
    buf_free(&clean);
    statement_close(step);
    step_fail(step, step_verdict(step->run), text);
}

/* ---- The answer ---- */

struct Rows {
    const struct PostgresRows *postgres; /* one of both */
    const struct MariadbRows *mariadb;
    size_t count;
};

static const char *of_column(void *data, const char *column)
{
    const struct Rows *rows = data;
    return rows->postgres != NULL ? postgres_named(rows->postgres, 0, column)
                                  : mariadb_named(rows->mariadb, 0, column);
}

static void judge(struct StepRun *step, const struct Answer *answer, struct Rows *rows)
{
    const struct SqlConfig *config = step->statement->config;
    const char *first = rows->postgres != NULL ? postgres_value(rows->postgres, 0, 0)
                                               : mariadb_value(rows->mariadb, 0, 0);
    struct Buf why = BUF(SAID_MOST);
    char took[32];
    int64_t lasted_ns = mono_since(answer->started, answer->ended);
    sql_judge(config->ok, rows->count, first, &why);
    duration_say(lasted_ns, took);
    if (why.size == 0 && config->under_ns > 0 && lasted_ns > config->under_ns)
        buf_printf(&why, "the answer took %s", took);
    if (why.size == 0 && step->spec->captures.count > 0 && rows->count == 0)
        buf_put(&why, "no row to capture from");
    if (why.size > 0) {
        fail(step, why.text);
    } else {
        run_event(step->run, "step", "%u answered %zu row%s", step->index + 1, rows->count,
                  rows->count == 1 ? "" : "s");
        bool good = figures_capture_row(step, of_column, rows);
        statement_close(step);
        if (good)
            step_done(step, NULL);
    }
    buf_free(&why);
}

static void say_no_answer(struct StepRun *step, const struct Answer *answer)
{
    struct Buf why = BUF(SAID_MOST);
    if (answer->end == CALL_ANSWERED)
        buf_put(&why, answer->bytes); /* what the server has against it */
    else
        buf_printf(&why, "no answer: %s %s", call_end_name(answer->end), answer->bytes);
    fail(step, why.text);
    buf_free(&why);
}

static void postgres_answered(void *data, const struct Answer *answer)
{
    struct StepRun *step = data;
    if (!step_stands(step))
        return;
    if (answer->end != CALL_ANSWERED || answer->code == POSTGRES_ERROR) {
        say_no_answer(step, answer);
        return;
    }
    struct Rows rows = {.postgres = postgres_rows(answer)};
    rows.count = postgres_row_count(rows.postgres);
    judge(step, answer, &rows);
}

static void mariadb_answered(void *data, const struct Answer *answer)
{
    struct StepRun *step = data;
    if (!step_stands(step))
        return;
    if (answer->end != CALL_ANSWERED || answer->code == MARIADB_ERROR) {
        say_no_answer(step, answer);
        return;
    }
    struct Rows rows = {.mariadb = mariadb_rows(answer)};
    rows.count = mariadb_row_count(rows.mariadb);
    judge(step, answer, &rows);
}

/* ---- The question ---- */

/* Sent once: whether it may be sent again, only its author knows. */
static void send_to(struct Statement *statement, const struct Endpoint *at)
{
    struct StepRun *step = statement->step;
    struct Loop *loop = step->run->in.loop;
    const char *query = statement->config->query;
    struct Err err;
    step->run->any_begun = true;
    if (sql_is_mariadb(at->dsn)) {
        statement->mariadb = mariadb_open(loop, at, &err);
        if (statement->mariadb != NULL) {
            mariadb_until(statement->mariadb, statement->deadline);
            (void)mariadb_call(statement->mariadb, query, statement->deadline, mariadb_answered,
                               step);
        }
    } else {
        statement->postgres = postgres_open(loop, at, &err);
        if (statement->postgres != NULL) {
            postgres_until(statement->postgres, statement->deadline);
            (void)postgres_call(statement->postgres, &(struct PostgresQuery){.text = query},
                                statement->deadline, postgres_answered, step);
        }
    }
    if (statement->mariadb == NULL && statement->postgres == NULL)
        fail(step, err.message);
}

static void on_leader(void *data, const struct Endpoint *at, const struct Target *host)
{
    struct StepRun *step = data;
    (void)host;
    if (!step_stands(step))
        return;
    if (at == NULL)
        fail(step, "nobody says who is primary");
    else
        send_to(step->statement, at);
}

static void send_to_role(struct Statement *statement, const struct Role *role)
{
    struct StepRun *step = statement->step;
    struct Err err;
    statement->input = (struct ProbeInput){.config = statement->config,
                                           .role = role,
                                           .run = step->run->in.plan->token.text,
                                           .slots = 1};
    if (!ways_open(&statement->ways, &statement->input, &err)) {
        fail(step, err.message);
        return;
    }
    statement->leader = (struct Leader){.ways = &statement->ways, .loop = step->run->in.loop};
    leader_find(&statement->leader, statement->deadline, on_leader, step);
}

void step_sql_begin(struct StepRun *step)
{
    struct Run *run = step->run;
    const struct SqlConfig *config = step->spec->config;
    struct Statement *statement = arena_zero(run->arena, 1, sizeof *statement);
    struct Endpoint server = {.secret = config->password, .dsn = config->subject};
    char host[256] = "";
    *statement = (struct Statement){
        .step = step, .config = config, .deadline = mono_add(mono_now(), step->spec->timeout_ns)};
    step->statement = statement;
    if (step->spec->asked != NULL) {
        send_to_role(statement, environment_role(run->in.plan->environment, step->spec->asked));
        return;
    }
    const char *fault = sql_dsn_fault(config->subject, host, &server.port);
    server.host = host;
    if (fault != NULL)
        fail(step, fault);
    else
        send_to(statement, &server);
}
