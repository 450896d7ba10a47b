/* sql.h - what `sql:` says in a file, as a probe and as a step. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_PROBES_SQL_H
#define FD_PROBES_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct Buf;
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
bool sql_is_mariadb(const char *dsn); /* accepts NULL */
/* NULL, or why this is no place that can be asked. Then host and port are filled. */
const char *sql_dsn_fault(const char *dsn, char host[256], uint16_t *port);
/* Says what is wrong with so many rows, of which the first begins with this value (or NULL); adds
 * nothing where they are what `ok` wants. */
void sql_judge(const struct SqlOk *ok, size_t count, const char *value, struct Buf *out);

#endif
