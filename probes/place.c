/* place.c - where a server is, as seen from where a probe stands. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include <stdio.h>

bool place_find(const struct ProbeInput *input, const char *name, const char *host, uint16_t port,
                struct Place *out, struct Err *err)
{
    struct Endpoint placed = {.host = host, .port = port};
    if (input->from != NULL && !input->place(input->place_data, host, port, &placed))
        return err_set(err, ERR_TARGET, NOWHERE, "'%s' cannot be reached from host '%s'", name,
                       input->from->name);
    *out = (struct Place){.port = placed.port};
    snprintf(out->host, sizeof(out->host), "%.255s", placed.host);
    return true;
}

bool place_url(const struct ProbeInput *input, struct HttpRequest *request, struct Place *place,
               struct Endpoint *through, struct Err *err)
{
    char host[256];
    uint16_t port = 0;
    const char *why = http_url_fault(request->url, host, sizeof(host), &port);
    if (why != NULL)
        return err_set(err, ERR_VALUE, NOWHERE, "'%s' cannot be asked: %s", request->url, why);
    if (input->from == NULL)
        return true;
    if (!place_find(input, request->url, host, port, place, err))
        return false;
    *through = (struct Endpoint){.host = place->host, .port = place->port};
    request->through = through;
    return true;
}
