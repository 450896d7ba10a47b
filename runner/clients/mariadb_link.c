/* mariadb_link.c - the connection to one MariaDB, and a statement on it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "../base/arena.h"
#include "../model/environment.h"
#include "mariadb_parts.h"

/* Never a password in clear, never a file of ours: what a server asks for is not to be trusted. */
#define METHODS "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password"

static void unwatch(struct MariadbClient *client)
{
    if (client->fd >= 0)
        loop_watch(client->base.loop, client->fd, 0, NULL, NULL);
    client->fd = -1;
}

/* Without its connection the library cannot block over a farewell, and a server that is told
 * nothing keeps no port of ours in TIME_WAIT. */
static void reset_connection(struct MariadbClient *client)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    int fd = mysql_get_socket(client->mysql);
    if (fd >= 0)
        (void)connect(fd, &nobody, sizeof(nobody));
}

void mariadb_drop(struct MariadbClient *client)
{
    unwatch(client);
    dns_close(client->dns);
    client->dns = NULL;
    if (client->mysql != NULL) {
        reset_connection(client);
        if (client->result != NULL)
            mysql_free_result(client->result);
        mysql_close(client->mysql);
    }
    client->mysql = NULL;
    client->result = NULL;
    client->step = STEP_NONE;
    client->waiting = client->base.open = false;
    client->tcp = (struct Mono){.ns = 0};
}

static void on_event(void *data, int events);

static void watch(struct MariadbClient *client, int wants)
{
    int events = ((wants & MYSQL_WAIT_READ) != 0 ? LOOP_READ : 0) |
                 ((wants & MYSQL_WAIT_WRITE) != 0 ? LOOP_WRITE : 0);
    client->fd = mysql_get_socket(client->mysql);
    (void)fcntl(client->fd, F_SETFD, FD_CLOEXEC); /* the library does not */
    loop_watch(client->base.loop, client->fd, events != 0 ? events : LOOP_READ, on_event, client);
}

/* ---- one step of the library; each says what it waits for, 0: nothing ---- */

static void note_connected(struct MariadbClient *client)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof(peer);
    int fd = mysql_get_socket(client->mysql);
    if (client->tcp.ns == 0 && fd >= 0 && getpeername(fd, (struct sockaddr *)&peer, &size) == 0)
        client->tcp = mono_now();
}

static int step_connect(struct MariadbClient *client, int ready, bool *good)
{
    const struct Endpoint *at = &client->base.endpoint;
    const struct MariadbDsn *dsn = &client->dsn;
    MYSQL *out = NULL;
    int waits = 0;
    if (client->waiting)
        waits = mysql_real_connect_cont(&out, client->mysql, ready);
    else
        waits = mysql_real_connect_start(
            &out, client->mysql, client->peer, at->user != NULL ? at->user : dsn->user,
            at->secret != NULL ? environment_secret(at->secret) : NULL,
            dsn->database[0] != '\0' ? dsn->database : NULL, at->port, NULL, 0);
    note_connected(client);
    *good = out != NULL;
    return waits;
}

static int step_query(struct MariadbClient *client, int ready, bool *good)
{
    const char *text = client->call->text;
    int failed = 0;
    int waits = client->waiting ? mysql_real_query_cont(&failed, client->mysql, ready)
                                : mysql_real_query_start(&failed, client->mysql, text,
                                                         (unsigned long)strlen(text));
    *good = failed == 0;
    return waits;
}

static int step_fetch(struct MariadbClient *client, int ready, bool *good)
{
    int waits = 0;
    MYSQL_ROW row = NULL;
    do {
        waits = client->waiting ? mysql_fetch_row_cont(&row, client->result, ready)
                                : mysql_fetch_row_start(&row, client->result);
        client->waiting = false;
        if (waits == 0 && row != NULL)
            mariadb_rows_add(&client->rows, client->result, row);
    } while (waits == 0 && row != NULL && !client->rows.too_much);
    *good = waits != 0 || row != NULL || mysql_errno(client->mysql) == 0;
    return waits;
}

/* ---- from step to step ---- */

/* A refusal of the server leaves the connection standing, where it was logged in. */
static void fail(struct MariadbClient *client)
{
    int code = 0;
    enum CallEnd end = mariadb_end_of(client->mysql, client->tcp.ns != 0, &code, client->why);
    if (client->result != NULL)
        mysql_free_result(client->result);
    client->result = NULL;
    client->step = STEP_NONE;
    bool stands = client->base.open && end == CALL_ANSWERED;
    if (stands)
        watch(client, MYSQL_WAIT_READ);
    mariadb_end(client, end, code, client->why, stands);
}

static void finish(struct MariadbClient *client)
{
    const char *value = mariadb_value(&client->rows, 0, 0);
    bool too_much = client->rows.too_much || mysql_more_results(client->mysql);
    client->step = STEP_NONE;
    if (too_much) {
        mariadb_end(client, CALL_PROTOCOL, 0, "the reply is longer than is read", false);
        return;
    }
    if (client->result != NULL)
        mysql_free_result(client->result);
    client->result = NULL;
    watch(client, MYSQL_WAIT_READ); /* so that its end is seen */
    mariadb_end(client, CALL_ANSWERED, MARIADB_ROWS, value != NULL ? value : "", true);
}

/* What follows a step that ended well; false: nothing does. */
static bool next_step(struct MariadbClient *client)
{
    switch (client->step) {
    case STEP_CONNECT:
        client->base.open = true;
        client->step = STEP_QUERY;
        return true;
    case STEP_QUERY:
        client->result = mysql_use_result(client->mysql);
        client->step = STEP_FETCH;
        if (client->result != NULL)
            mariadb_rows_name(&client->rows, client->result);
        return client->result != NULL;
    case STEP_FETCH:
    case STEP_NONE:
        return false;
    }
    bug("no step %d", (int)client->step);
}

static void go_on(struct MariadbClient *client, int ready)
{
    bool good = true;
    int waits = 0;
    do {
        if (client->step == STEP_CONNECT)
            waits = step_connect(client, ready, &good);
        else if (client->step == STEP_QUERY)
            waits = step_query(client, ready, &good);
        else
            waits = step_fetch(client, ready, &good);
        client->waiting = waits != 0;
    } while (waits == 0 && good && next_step(client));
    if (waits != 0)
        watch(client, waits);
    else if (!good || mysql_errno(client->mysql) != 0)
        fail(client);
    else
        finish(client);
}

static void on_event(void *data, int events)
{
    struct MariadbClient *client = data;
    int ready = ((events & LOOP_READ) != 0 ? MYSQL_WAIT_READ : 0) |
                ((events & LOOP_WRITE) != 0 ? MYSQL_WAIT_WRITE : 0);
    unwatch(client);
    if (client->step == STEP_NONE)
        mariadb_drop(client); /* nobody asked, and it speaks: the next call has a new one */
    else
        go_on(client, ready);
}

/* ---- the connection ---- */

static void set_options(MYSQL *mysql)
{
    const unsigned none = 0;
    (void)mysql_options(mysql, MYSQL_OPT_NONBLOCK, NULL);
    (void)mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &none);
    (void)mysql_options(mysql, MARIADB_OPT_RESTRICTED_AUTH, METHODS);
    (void)mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    (void)mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "faildrill");
}

/* A server that is busy does not notice that nobody listens any more. What one of both does not
 * know is a comment to it. */
static void set_until(const struct MariadbClient *client)
{
    char text[160];
    if (client->until.ns == 0)
        return;
    int64_t left_ms = mono_since(mono_now(), client->until) / NS_PER_MS;
    left_ms = left_ms > 1 ? left_ms : 1;
    snprintf(text, sizeof(text),
             "SET @faildrill=1/*M!100101 ,max_statement_time=%lld.%03lld*/"
             "/*!50708 ,max_execution_time=%lld*/",
             (long long)(left_ms / 1000), (long long)(left_ms % 1000), (long long)left_ms);
    (void)mysql_options(client->mysql, MYSQL_INIT_COMMAND, text);
}

/* A name with several addresses: the first, as resolvers sort them. */
static void connect_to(struct MariadbClient *client, const char *address)
{
    snprintf(client->peer, sizeof(client->peer), "%.47s", address);
    client->mysql = mysql_init(NULL);
    if (client->mysql == NULL)
        bug("libmariadb has no memory");
    set_options(client->mysql);
    set_until(client);
    client->step = STEP_CONNECT;
    client->waiting = false;
    go_on(client, 0);
}

static void on_resolved(void *data, const struct Answer *answer)
{
    struct MariadbClient *client = data;
    const char *address = dns_address(answer, 0);
    char kept[48] = "";
    enum CallEnd end = answer->end;
    snprintf(kept, sizeof(kept), "%.47s", address != NULL ? address : "");
    snprintf(client->why, sizeof(client->why), "%.319s", answer->bytes);
    dns_close(client->dns);
    client->dns = NULL;
    if (end == CALL_ANSWERED)
        connect_to(client, kept);
    else
        mariadb_end(client, end, 0, client->why, false);
}

static void resolve(struct MariadbClient *client)
{
    struct Err err = {.code = ERR_OWN};
    client->dns = dns_open(client->base.loop, &err);
    if (client->dns == NULL)
        mariadb_end(client, CALL_LOCAL, 0, err.message, false);
    else
        (void)dns_call(client->dns, client->base.endpoint.host, (struct Mono){.ns = NS_NEVER},
                       on_resolved, client);
}

/* From the loop, so that no call ends within its beginning. */
void mariadb_begin(struct MariadbClient *client)
{
    unwatch(client);
    mariadb_rows_clear(&client->rows);
    if (client->base.open) {
        client->step = STEP_QUERY;
        client->waiting = false;
        go_on(client, 0);
    } else if (address_is_numeric(client->base.endpoint.host)) {
        connect_to(client, client->base.endpoint.host);
    } else {
        resolve(client);
    }
}
