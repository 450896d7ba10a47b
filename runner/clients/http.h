/* http.h - one HTTP request at a time per call, by libcurl multi. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_HTTP_H
#define FD_CLIENTS_HTTP_H

#include "../model/aws_sigv4.h"
#include "../schema/field.h"
#include "call.h"

/* One per loop and user of it. http and https only; no redirects, proxy, netrc, cookies; fresh
 * connection each (closed by reset) unless `keep`; names are resolved by clients/dns for each new
 * connection; a body over 64 KiB ends the answer there. */
struct HttpClient;
struct HttpRequest {                 /* borrowed for the call of http_call() */
    const char *url, *method, *body; /* method NULL = GET; body NULL = none */
    const struct TextPair *headers;
    size_t header_count;
    const char *user, *secret; /* Basic, where there is a user; secret as text or ${secret.NAME} */
    const struct AwsSigv4 *signing; /* NULL = not signed; else http_signing_fault() has none */
    const struct Endpoint
        *through; /* numeric: connect there, the URL stays as it is; may be NULL */
    bool keep;
    bool wants_certificate; /* for http_certificate_ends(); not with `keep` */
};
struct HttpClient *http_open(struct Loop *loop, struct Err *err);
struct Call *http_call(struct HttpClient *client, const struct HttpRequest *request,
                       struct Mono deadline, CallDone *done, void *data);
/* Within done, of an https answer: until when the server's certificate is good; ns 0 where it
 * shows none. */
struct Wall http_certificate_ends(const struct Answer *answer);
void http_close(struct HttpClient *client); /* cancels what is under way; accepts NULL */
/* NULL, or why this is no URL that can be asked. Then host (cut at its size) and port are filled;
 * host may be NULL. */
const char *http_url_fault(const char *url, char *host, size_t size, uint16_t *port);
/* NULL, or why a request to this URL is not signed as AWS does: libcurl signs a query in the order
 * in which it stands, and a path without encoding it once more; and in clear it goes to loopback
 * alone. */
const char *http_signing_fault(const char *url);

#endif
