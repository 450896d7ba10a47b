/* postgres_reply.c - what libpq got: rows, errors, and how a connection ended. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "postgres_reply.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/duration.h"
#include "../base/text.h"
#include "tcp.h"

enum { REPLY_MAX = 4 * 1024 * 1024, NAMES_MAX = 64 * 1024 };

/* ---- rows ---- */

void rows_clear(struct PostgresRows *rows)
{
    buf_clear(&rows->text);
    rows->text.max = REPLY_MAX;
    buf_clear(&rows->names);
    rows->names.max = NAMES_MAX;
    rows->cells = rows->columns = 0;
    rows->warning[0] = rows->error[0] = '\0';
    rows->too_much = rows->failed = rows->lost = false;
}

void rows_free(struct PostgresRows *rows)
{
    buf_free(&rows->text);
    buf_free(&rows->names);
    mem_free(rows->at);
}

static void add_cell(struct PostgresRows *rows, const char *value, size_t size)
{
    if (rows->cells == rows->room) {
        rows->room = rows->room > 0 ? rows->room * 2 : 64;
        rows->at = mem_grow(rows->at, rows->room * sizeof(*rows->at));
    }
    rows->at[rows->cells++] = value != NULL ? rows->text.size : SIZE_MAX;
    if (value != NULL) {
        buf_add(&rows->text, value, size);
        buf_add(&rows->text, "", 1);
    }
}

static void add_rows(struct PostgresRows *rows, const PGresult *result)
{
    int columns = PQnfields(result);
    rows->columns = (size_t)columns;
    buf_clear(&rows->names);
    for (int column = 0; column < columns; column++) {
        const char *name = PQfname(result, column);
        buf_add(&rows->names, name, strlen(name) + 1);
    }
    for (int row = 0; row < PQntuples(result) && !rows->text.cut; row++)
        for (int column = 0; column < columns; column++)
            add_cell(rows,
                     PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column),
                     (size_t)PQgetlength(result, row, column));
    rows->too_much = rows->text.cut || rows->cells > REPLY_MAX / 8;
}

static void one_line(const char *text, char *out, size_t size)
{
    snprintf(out, size, "%s", text);
    out[strcspn(out, "\r\n")] = '\0';
}

static void take_error(struct PostgresRows *rows, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (rows->failed)
        return; /* the first says why */
    rows->failed = true;
    rows->lost = state == NULL;
    if (state != NULL)
        snprintf(rows->error, sizeof(rows->error), "%.5s: %.300s", state, text != NULL ? text : "");
    else
        one_line(PQresultErrorMessage(result), rows->error, sizeof(rows->error));
}

void rows_take(struct PostgresRows *rows, PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        break;
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
        add_rows(rows, result);
        break;
    case PGRES_COPY_OUT:
    case PGRES_COPY_IN:
    case PGRES_COPY_BOTH:
        rows->too_much = true; /* no statement of ours; nobody will answer it */
        break;
    case PGRES_BAD_RESPONSE:
    case PGRES_NONFATAL_ERROR:
    case PGRES_FATAL_ERROR:
    case PGRES_PIPELINE_SYNC:
    case PGRES_PIPELINE_ABORTED:
        take_error(rows, result);
        break;
    }
    PQclear(result);
}

/* A WARNING may take back what the answer says: a commit whose wait for its standby was cancelled
 * is acknowledged all the same. */
void rows_notice(void *data, const PGresult *notice)
{
    struct PostgresRows *rows = data;
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    if (text_equal(severity, "WARNING"))
        one_line(text != NULL ? text : "a warning", rows->warning, sizeof(rows->warning));
}

const struct PostgresRows *postgres_rows(const struct Answer *answer)
{
    return ((const struct PostgresAnswer *)answer)->rows;
}

size_t postgres_row_count(const struct PostgresRows *rows)
{
    return rows->columns > 0 ? rows->cells / rows->columns : 0;
}

const char *postgres_value(const struct PostgresRows *rows, size_t row, size_t column)
{
    size_t cell = row * rows->columns + column;
    if (column >= rows->columns || cell >= rows->cells || rows->at[cell] == SIZE_MAX)
        return NULL;
    return rows->text.text + rows->at[cell];
}

void postgres_text(const struct PostgresRows *rows, size_t row, size_t column, char *out,
                   size_t size)
{
    const char *value = postgres_value(rows, row, column);
    snprintf(out, size, "%s", value != NULL ? value : "");
}

int64_t postgres_number(const struct PostgresRows *rows, size_t row, size_t column,
                        int64_t otherwise)
{
    const char *value = postgres_value(rows, row, column);
    int64_t number = 0;
    return value != NULL && int_parse(value, &number, NULL) ? number : otherwise;
}

const char *postgres_named(const struct PostgresRows *rows, size_t row, const char *column)
{
    const char *name = rows->names.text, *end = name + rows->names.size;
    for (size_t at = 0; at < rows->columns && name < end; at++, name += strlen(name) + 1)
        if (text_equal(name, column))
            return postgres_value(rows, row, at);
    return NULL;
}

const char *postgres_warning(const struct PostgresRows *rows)
{
    return rows->warning;
}

void postgres_state(const struct Answer *answer, char out[6])
{
    snprintf(out, 6, "%.5s", answer->bytes);
}

/* By class and by state: read-only, shutting down or starting up, out of connections or memory. */
enum Failure postgres_failure(const struct Answer *answer)
{
    static const struct {
        const char *begins;
        enum Failure failure;
    } states[] = {
        {"25006", FAILURE_READ_ONLY},
        {"57P", FAILURE_UNAVAILABLE},
        {"53", FAILURE_UNAVAILABLE},
        {"08", FAILURE_UNAVAILABLE},
    };
    for (size_t n = 0; n < COUNT_OF(states); n++)
        if (text_starts(answer->bytes, states[n].begins))
            return states[n].failure;
    return FAILURE_OTHER;
}

/* ---- how a connection ended ---- */

/* "FATAL:  57P03: the database system is starting up": the place of the state, or NULL. */
static const char *find_state(const char *message)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (const char *at = message; (at = strstr(at, ":  ")) != NULL; at++)
        if (strspn(at + 3, digits) == 5 && text_starts(at + 8, ": "))
            return at + 3;
    return NULL;
}

/* libpq says why by the C library's words alone. */
static bool find_errno(const char *message, int *number)
{
    static const int numbers[] = {
        ECONNREFUSED, ECONNRESET, ETIMEDOUT,    EHOSTUNREACH,  ENETUNREACH, EPIPE,
        ECONNABORTED, EMFILE,     ENFILE,       EADDRNOTAVAIL, EADDRINUSE,  ENOBUFS,
        ENOMEM,       EHOSTDOWN,  EAFNOSUPPORT, EPERM,         EACCES,      EINVAL};
    for (size_t n = 0; n < COUNT_OF(numbers); n++)
        if (strstr(message, strerror(numbers[n])) != NULL) {
            *number = numbers[n];
            return true;
        }
    return false;
}

enum CallEnd connection_end(const char *message, bool connected, int *code, char out[320])
{
    const char *state = find_state(message);
    if (state != NULL) {
        one_line(state, out, 320);
        *code = POSTGRES_ERROR;
        return CALL_ANSWERED;
    }
    const char *failed = strstr(message, "failed: ");
    one_line(failed != NULL ? failed + strlen("failed: ") : message, out, 320);
    if (strstr(message, "invalid response") != NULL)
        return CALL_PROTOCOL;
    if (strstr(message, "closed the connection") != NULL || strstr(message, "EOF detected") != NULL)
        return CALL_RESET;
    if (strstr(message, "SSL") != NULL || strstr(message, "certificate") != NULL)
        return CALL_TLS;
    if (find_errno(message, code)) {
        enum CallEnd end = tcp_end_of_errno(*code);
        return connected && end == CALL_REFUSED ? CALL_RESET : end;
    }
    return CALL_PROTOCOL;
}

/* ---- parameters ---- */

bool parameters_read(const char *dsn, struct PostgresParameters *out)
{
    *out = (struct PostgresParameters){.count = 0};
    if (dsn == NULL)
        return true;
    char *why = NULL;
    out->parsed = PQconninfoParse(dsn, &why);
    PQfreemem(why);
    for (const PQconninfoOption *at = out->parsed; at != NULL && at->keyword != NULL; at++)
        if (at->val != NULL)
            parameters_set(out, at->keyword, at->val);
    return out->parsed != NULL;
}

void parameters_set(struct PostgresParameters *parameters, const char *name, const char *value)
{
    size_t n = 0;
    while (n < parameters->count && !text_equal(parameters->names[n], name))
        n++;
    if (n == PARAMETERS_MAX - 1)
        bug("more than %d parameters of libpq", PARAMETERS_MAX);
    parameters->names[n] = name;
    parameters->values[n] = value;
    parameters->count += n == parameters->count ? 1 : 0;
}

const char *parameters_get(const struct PostgresParameters *parameters, const char *name)
{
    for (size_t n = 0; n < parameters->count; n++)
        if (text_equal(parameters->names[n], name))
            return parameters->values[n];
    return NULL;
}

void parameters_free(struct PostgresParameters *parameters)
{
    PQconninfoFree(parameters->parsed);
}

static const char *fault_of(const struct PostgresParameters *parameters, uint16_t *port)
{
    const char *host = parameters_get(parameters, "host");
    const char *text = parameters_get(parameters, "port");
    int64_t number = 5432;
    if (host == NULL || host[0] == '\0')
        return "it names no host";
    if (host[0] == '/' || host[0] == '@')
        return "it names a socket of one machine; name a host";
    if (strchr(host, ',') != NULL)
        return "it names several hosts; name one, or the proxy before them";
    if (parameters_get(parameters, "hostaddr") != NULL)
        return "it has a hostaddr; names are resolved anew for each connection";
    if (parameters_get(parameters, "password") != NULL)
        return "a password stands in it; give it as `password:`";
    if (text != NULL && (!int_parse(text, &number, NULL) || number < 1 || number > 65535))
        return "its port is none";
    *port = (uint16_t)number;
    return NULL;
}

const char *postgres_dsn_fault(const char *dsn, char *host, size_t size, uint16_t *port)
{
    struct PostgresParameters parameters;
    if (!text_starts(dsn, "postgresql://") && !text_starts(dsn, "postgres://"))
        return "it begins with postgresql://";
    if (!parameters_read(dsn, &parameters))
        return "libpq cannot read it";
    const char *why = fault_of(&parameters, port);
    if (why == NULL && host != NULL)
        snprintf(host, size, "%s", parameters_get(&parameters, "host"));
    parameters_free(&parameters);
    return why;
}
