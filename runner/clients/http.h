/* http.h - one HTTP request at a time per call, by libcurl multi. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_HTTP_H
#define FD_CLIENTS_HTTP_H

#include "../schema/field.h"
#include "call.h"

/* One per loop and user of it. http and https only; no redirects, proxy, netrc, cookies; fresh
 * connection each (closed by reset after a whole answer) unless `keep`; DNS cache 0; body cut at 64 KiB. */
struct HttpClient;
struct HttpRequest {
    const char *url, *method, *body;        /* method NULL = GET; body NULL = none */
    const struct TextPair *headers;
    size_t header_count;
    bool keep;
};
struct HttpClient *http_open(struct Loop *loop, struct Err *err);
struct Call *http_call(struct HttpClient *client, const struct HttpRequest *request, struct Mono deadline,
                       CallDone *done, void *data);
void http_close(struct HttpClient *client); /* cancels what is under way */

#endif
