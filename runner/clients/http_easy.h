/* http_easy.h - one transfer of libcurl: its options, and what came of it. For http.c alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_HTTP_EASY_H
#define FD_CLIENTS_HTTP_EASY_H

#include <curl/curl.h>

#include "../base/buf.h"
#include "http.h"

struct HttpUrl { /* of a request: where it goes */
    char *text, *host;
    uint16_t port;
    bool numeric;
};
struct HttpEasy {
    CURL *curl;
    struct curl_slist *headers, *addresses;
    struct Buf body;
    char error[CURL_ERROR_SIZE];
    char peer[64];
    int socket_errno; /* of a socket that could not be made */
    int fd;           /* the last one that is waited for; -1: none */
    bool opened;      /* here, and not taken over from an earlier call */
    struct Mono tcp;  /* seen to be connected; libcurl says so only once TLS is as well */
    bool keep;
    bool may_connect; /* false: rather stop than open a connection to an address from earlier */
    bool stopped;     /* that came to pass */
};
bool http_url_read(const char *text, struct HttpUrl *out, const char **why);
void http_url_free(struct HttpUrl *url);

/* `private` is found again by CURLINFO_PRIVATE. NULL, or why it must not be sent. */
const char *easy_set(struct HttpEasy *easy, const struct HttpRequest *request, void *private);
/* Where `url` is found: addresses of a name, best first. */
void easy_set_addresses(struct HttpEasy *easy, const struct HttpUrl *url,
                        const struct Answer *addresses);
/* libcurl waits for this socket from here on; -1: no longer. */
void easy_waits_for(struct HttpEasy *easy, int fd);
/* Fills end, code, bytes, peer and the moments. */
void easy_answer(struct HttpEasy *easy, CURLcode result, struct Answer *answer);
/* Where the request wants it, else ns 0. */
struct Wall easy_certificate_ends(const struct HttpEasy *easy);
void easy_clear(struct HttpEasy *easy); /* all but curl */

#endif
