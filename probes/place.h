/* place.h - where a server is, as seen from where a probe stands. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_PROBES_PLACE_H
#define FD_PROBES_PLACE_H

#include "../runner/clients/http.h"
#include "../runner/model/probe.h"

struct Place {
    char host[256];
    uint16_t port;
};
/* `name` is how people know it. */
bool place_find(const struct ProbeInput *input, const char *name, const char *host, uint16_t port,
                struct Place *out, struct Err *err);
/* For a URL: fills request->through, of `place` and `through`, where it is not asked from here. */
bool place_url(const struct ProbeInput *input, struct HttpRequest *request, struct Place *place,
               struct Endpoint *through, struct Err *err);

#endif
