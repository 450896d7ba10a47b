/* client.h - what clients share that keep one connection to one server. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_CLIENT_H
#define FD_CLIENTS_CLIENT_H

#include "call.h"

/* The first member of each such client's own struct. */
struct Client {
    const struct ClientKind *kind;
    struct Loop *loop;
    struct Endpoint endpoint; /* its strings are ours */
    bool open;                /* connected, and logged in where that is asked for */
};
struct ClientKind {
    struct Client *(*open)(struct Loop *loop, const struct Endpoint *endpoint, struct Err *err);
    bool (*is_asked)(const struct Client *client); /* a call is under way */
    void (*drop)(struct Client *client);           /* the connection, by reset */
    void (*close)(struct Client *client);          /* cancels what is under way */
};

/* For whoever holds a client: *client, NULL before its first use, is for this address now. Where it
 * was for another one (a new primary), its connection is closed; nothing may be under way. False:
 * our side has no way to try. */
bool client_use(struct Client **client, const struct ClientKind *kind, struct Loop *loop,
                const struct Endpoint *at, struct Err *err);
bool client_connected(const struct Client *client); /* accepts NULL, as the rest */
void client_disconnect(struct Client *client);      /* by reset; nothing may be under way */
void client_close(struct Client *client);           /* cancels what is under way */

/* For kinds: copies the endpoint; gives the copy back. */
void client_begin(struct Client *client, const struct ClientKind *kind, struct Loop *loop,
                  const struct Endpoint *endpoint);
void client_end(struct Client *client);

#endif
