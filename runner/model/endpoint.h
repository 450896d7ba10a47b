/* endpoint.h - where a client connects. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_ENDPOINT_H
#define FD_MODEL_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

struct Endpoint {
    const char *host; /* numeric address, or a name (resolved by clients/dns on each connection) */
    uint16_t port;
    bool tls;
    const char *user, *secret; /* NULL = none */
    const char *dsn; /* of SQL servers: database, user and options; NULL = the library's defaults */
    const char *config_file; /* of Redis: what it is started with on its host; NULL = no Redis */
};

#endif
