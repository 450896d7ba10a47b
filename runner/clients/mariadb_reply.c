/* mariadb_reply.c - what libmariadb got: rows, errors, and what a DSN says. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errmsg.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/duration.h"
#include "../base/text.h"
#include "mariadb_parts.h"
#include "tcp.h"

enum { REPLY_MAX = 4 * 1024 * 1024 };

/* ---- rows ---- */

void mariadb_rows_clear(struct MariadbRows *rows)
{
    buf_clear(&rows->text);
    rows->text.max = REPLY_MAX;
    rows->cells = rows->columns = 0;
    rows->too_much = false;
}

void mariadb_rows_free(struct MariadbRows *rows)
{
    buf_free(&rows->text);
    mem_free(rows->at);
}

static void add_cell(struct MariadbRows *rows, const char *value, size_t size)
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
    rows->too_much = rows->text.cut || rows->cells > REPLY_MAX / 8;
}

/* The first row of cells are the names. */
void mariadb_rows_name(struct MariadbRows *rows, MYSQL_RES *result)
{
    const MYSQL_FIELD *fields = mysql_fetch_fields(result);
    rows->columns = mysql_num_fields(result);
    for (size_t n = 0; n < rows->columns; n++)
        add_cell(rows, fields[n].name, fields[n].name_length);
}

void mariadb_rows_add(struct MariadbRows *rows, MYSQL_RES *result, MYSQL_ROW row)
{
    const unsigned long *sizes = mysql_fetch_lengths(result);
    for (size_t n = 0; n < rows->columns && !rows->too_much; n++)
        add_cell(rows, row[n], sizes[n]);
}

const struct MariadbRows *mariadb_rows(const struct Answer *answer)
{
    return ((const struct MariadbAnswer *)answer)->rows;
}

size_t mariadb_row_count(const struct MariadbRows *rows)
{
    return rows->columns > 0 ? rows->cells / rows->columns - 1 : 0;
}

const char *mariadb_value(const struct MariadbRows *rows, size_t row, size_t column)
{
    size_t cell = (row + 1) * rows->columns + column;
    if (column >= rows->columns || cell >= rows->cells || rows->at[cell] == SIZE_MAX)
        return NULL;
    return rows->text.text + rows->at[cell];
}

const char *mariadb_named(const struct MariadbRows *rows, size_t row, const char *column)
{
    size_t n = 0;
    while (n < rows->columns && !text_equal(rows->text.text + rows->at[n], column))
        n++;
    return mariadb_value(rows, row, n);
}

/* ---- errors ---- */

unsigned mariadb_number(const struct Answer *answer)
{
    return (unsigned)strtoul(answer->bytes, NULL, 10);
}

enum Failure mariadb_failure(const struct Answer *answer)
{
    static const struct {
        unsigned number;
        enum Failure failure;
    } numbers[] = {
        {1290, FAILURE_READ_ONLY},   /* --read-only */
        {1792, FAILURE_READ_ONLY},   /* in a read-only transaction */
        {1836, FAILURE_READ_ONLY},   /* read-only mode */
        {1047, FAILURE_UNAVAILABLE}, /* WSREP has not yet prepared node for application use */
        {1040, FAILURE_UNAVAILABLE}, /* too many connections */
        {1203, FAILURE_UNAVAILABLE}, /* of this user */
        {1226, FAILURE_UNAVAILABLE}, /* a limit of this user */
        {1053, FAILURE_UNAVAILABLE}, /* server shutdown in progress */
        {1129, FAILURE_UNAVAILABLE}, /* host is blocked */
        {1205, FAILURE_UNAVAILABLE}, /* lock wait timeout */
        {1317, FAILURE_UNAVAILABLE}, /* query execution was interrupted */
        {1927, FAILURE_UNAVAILABLE}, /* connection was killed */
    };
    for (size_t n = 0; n < COUNT_OF(numbers); n++)
        if (mariadb_number(answer) == numbers[n].number)
            return numbers[n].failure;
    return FAILURE_OTHER;
}

const char *mariadb_library(void)
{
    return mysql_get_client_info();
}

/* "... (111)", "... system error: 104": the number at the end. */
static int errno_at_end(const char *text)
{
    const char *end = text + strlen(text);
    while (end > text && strchr("0123456789", end[-1]) == NULL && end[-1] != ' ')
        end--;
    const char *at = end;
    while (at > text && strchr("0123456789", at[-1]) != NULL)
        at--;
    return (int)strtol(at, NULL, 10);
}

/* What is not the library's number came from the server. */
enum CallEnd mariadb_end_of(MYSQL *mysql, bool connected, int *code, char out[320])
{
    unsigned number = mysql_errno(mysql);
    snprintf(out, 320, "%u: %.300s", number, mysql_error(mysql));
    out[strcspn(out, "\r\n")] = '\0';
    bool ours = (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR) ||
                (number >= CER_MIN_ERROR && number <= CER_MAX_ERROR);
    *code = ours ? 0 : MARIADB_ERROR;
    if (!ours)
        return CALL_ANSWERED;
    if (number == CR_SERVER_GONE_ERROR || number == CR_SERVER_LOST)
        return CALL_RESET;
    if (number == CR_OUT_OF_MEMORY || number == CR_SOCKET_CREATE_ERROR)
        return CALL_LOCAL;
    if (number == CR_SSL_CONNECTION_ERROR)
        return CALL_TLS;
    if (number != CR_CONNECTION_ERROR && number != CR_CONN_HOST_ERROR && number != CR_IPSOCK_ERROR)
        return CALL_PROTOCOL;
    *code = errno_at_end(out);
    enum CallEnd end = *code != 0 ? tcp_end_of_errno(*code) : CALL_REFUSED;
    return connected && end == CALL_REFUSED ? CALL_RESET : end;
}

/* ---- DSN ---- */

/* Up to one of `ends`; false where it does not fit, or has what names do not. */
static bool take_part(const char **at, const char *ends, char *out, size_t size)
{
    static const char others[] = "-_.:";
    size_t length = strcspn(*at, ends);
    for (size_t n = 0; n < length; n++) {
        char c = (*at)[n];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && strchr(others, c) == NULL)
            return false;
    }
    if (length >= size)
        return false;
    memcpy(out, *at, length);
    out[length] = '\0';
    *at += length;
    return true;
}

static const char *take_user(const char **at, struct MariadbDsn *out)
{
    size_t length = strcspn(*at, "@/?");
    if ((*at)[length] != '@')
        return NULL;
    if (memchr(*at, ':', length) != NULL)
        return "a password stands in it; give it as `password:`";
    if (!take_part(at, "@", out->user, sizeof(out->user)))
        return "its user is none";
    ++*at;
    return NULL;
}

static const char *take_place(const char **at, struct MariadbDsn *out)
{
    bool bare6 = **at == '[';
    char port[8] = "";
    int64_t number = 3306;
    *at += bare6 ? 1 : 0;
    if (memchr(*at, ',', strcspn(*at, "/")) != NULL)
        return "it names several hosts; name one, or the proxy before them";
    if (!take_part(at, bare6 ? "]/" : ":/", out->host, sizeof(out->host)) ||
        (bare6 && *(*at)++ != ']'))
        return "its host is none";
    if (**at == ':') {
        ++*at;
        if (!take_part(at, "/", port, sizeof(port)) || !int_parse(port, &number, NULL) ||
            number < 1 || number > 65535)
            return "its port is none";
    }
    out->port = (uint16_t)number;
    return NULL;
}

const char *mariadb_dsn_fault(const char *dsn, bool hostless, struct MariadbDsn *out)
{
    struct MariadbDsn found = {.port = 0};
    const char *at = strstr(dsn, "://");
    if (at == NULL || (!text_starts(dsn, "mariadb://") && !text_starts(dsn, "mysql://")))
        return "it begins with mariadb:// or mysql://";
    at += strlen("://");
    const char *fault = take_user(&at, &found);
    if (fault == NULL)
        fault = take_place(&at, &found);
    if (fault != NULL)
        return fault;
    if (found.host[0] == '\0' && !hostless)
        return "it names no host";
    if (*at == '/' && (++at, !take_part(&at, "", found.database, sizeof(found.database))))
        return "its database is none";
    if (*at != '\0')
        return "it has more than user, host, port and database";
    *out = found;
    return NULL;
}
