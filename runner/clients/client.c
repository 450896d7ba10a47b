/* client.c - what clients share that keep one connection to one server. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include "../base/arena.h"
#include "../base/text.h"

static struct Endpoint copy_of(const struct Endpoint *endpoint)
{
    struct Endpoint copy = *endpoint;
    copy.host = mem_text(endpoint->host);
    copy.user = mem_text(endpoint->user);
    copy.secret = mem_text(endpoint->secret);
    copy.dsn = mem_text(endpoint->dsn);
    return copy;
}

static void free_endpoint(const struct Endpoint *endpoint)
{
    mem_free((void *)endpoint->host);
    mem_free((void *)endpoint->user);
    mem_free((void *)endpoint->secret);
    mem_free((void *)endpoint->dsn);
}

void client_begin(struct Client *client, const struct ClientKind *kind, struct Loop *loop,
                  const struct Endpoint *endpoint)
{
    *client = (struct Client){.kind = kind, .loop = loop, .endpoint = copy_of(endpoint)};
}

void client_end(struct Client *client)
{
    free_endpoint(&client->endpoint);
}

static void point(struct Client *client, const struct Endpoint *at)
{
    struct Endpoint old = client->endpoint;
    if (text_equal(old.host, at->host) && old.port == at->port)
        return;
    client_disconnect(client);
    struct Endpoint wanted = old;
    wanted.host = at->host;
    wanted.port = at->port;
    client->endpoint = copy_of(&wanted);
    free_endpoint(&old);
}

bool client_use(struct Client **client, const struct ClientKind *kind, struct Loop *loop,
                const struct Endpoint *at, struct Err *err)
{
    if (*client != NULL)
        point(*client, at);
    else
        *client = kind->open(loop, at, err);
    return *client != NULL;
}

bool client_connected(const struct Client *client)
{
    return client != NULL && client->open;
}

void client_disconnect(struct Client *client)
{
    if (client == NULL)
        return;
    if (client->kind->is_asked(client))
        bug("a connection is closed under a call");
    client->kind->drop(client);
}

void client_close(struct Client *client)
{
    if (client != NULL)
        client->kind->close(client);
}
