/* http_easy.c - one transfer of libcurl: its options, and what came of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http_easy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/arena.h"
#include "../base/duration.h"
#include "../base/text.h"
#include "../model/environment.h"
#include "dns.h"
#include "tcp.h"
#include "tls.h"

enum { BODY_MAX = 64 * 1024 };

static const char *part_of(CURLU *url, CURLUPart part, unsigned flags, char **out)
{
    *out = NULL;
    CURLUcode code = curl_url_get(url, part, out, flags);
    return code == CURLUE_OK ? NULL : curl_url_strerror(code);
}

static const char *read_parts(CURLU *url, const char *text, struct HttpUrl *out)
{
    char *scheme = NULL, *host = NULL, *port = NULL;
    CURLUcode code = curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
    const char *why = code == CURLUE_OK ? NULL : curl_url_strerror(code);
    if (why == NULL)
        why = part_of(url, CURLUPART_SCHEME, 0, &scheme);
    if (why == NULL && !text_equal(scheme, "http") && !text_equal(scheme, "https"))
        why = "only http and https are asked";
    if (why == NULL)
        why = part_of(url, CURLUPART_HOST, 0, &host);
    if (why == NULL)
        why = part_of(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, &port);
    int64_t number = 0;
    if (why == NULL && (!int_parse(port, &number, NULL) || number < 1 || number > 65535))
        why = "the port is none";
    if (why == NULL) {
        size_t size = strlen(host);
        bool bracketed = size > 2 && host[0] == '[';
        *out = (struct HttpUrl){.text = mem_text(text),
                                .host = mem_text(bracketed ? host + 1 : host),
                                .port = (uint16_t)number};
        if (bracketed)
            out->host[size - 2] = '\0';
        out->numeric = address_is_numeric(out->host);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    return why;
}

bool http_url_read(const char *text, struct HttpUrl *out, const char **why)
{
    CURLU *url = curl_url();
    if (url == NULL)
        bug("libcurl has no memory");
    *why = read_parts(url, text, out);
    curl_url_cleanup(url);
    return *why == NULL;
}

void http_url_free(struct HttpUrl *url)
{
    mem_free(url->text);
    mem_free(url->host);
    *url = (struct HttpUrl){.text = NULL};
}

const char *http_url_fault(const char *text, char *host, size_t size, uint16_t *port)
{
    struct HttpUrl url = {.text = NULL};
    const char *why = NULL;
    if (!http_url_read(text, &url, &why))
        return why;
    if (host != NULL) {
        snprintf(host, size, "%s", url.host);
        *port = url.port;
    }
    http_url_free(&url);
    return NULL;
}

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    return text_equal(host, "localhost") ||
           (inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET) ||
           (inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6));
}

/* Who sees a signed request may send it again, for minutes. */
static bool is_in_clear(const char *text)
{
    char name[256];
    uint16_t port = 0;
    return strncasecmp(text, "https://", 8) != 0 &&
           (http_url_fault(text, name, sizeof name, &port) != NULL || !is_loopback(name));
}

const char *http_signing_fault(const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    const char *scheme = strstr(text, "://");
    const char *host = scheme != NULL ? scheme + 3 : text;
    const char *path = host + strcspn(host, "/?#");
    if (memchr(host, '@', (size_t)(path - host)) != NULL)
        return "it names a user";
    if (strchr(path, '?') != NULL)
        return "it has a query";
    if (path[strspn(path, plain)] != '\0')
        return "its path has other signs than letters, digits and -._~/";
    if (strstr(path, "//") != NULL || strstr(path, "/.") != NULL)
        return "its path is not the shortest";
    if (is_in_clear(text))
        return "it is not https, and not on this machine";
    return NULL;
}

static size_t take_body(char *bytes, size_t one, size_t size, void *data)
{
    (void)one;
    struct HttpEasy *easy = data;
    buf_add(&easy->body, bytes, size);
    return easy->body.cut ? 0 : size; /* 0 ends the transfer: there is enough */
}

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct HttpEasy *easy = data;
    if (!easy->may_connect) {
        easy->stopped = true;
        return CURL_SOCKET_BAD;
    }
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) {
        easy->socket_errno = errno;
        return CURL_SOCKET_BAD;
    }
    easy->opened = true;
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (!easy->keep)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    return fd;
}

/* NULL, or why not: then no key is set, which would go out as a password. */
static const char *set_signing(struct HttpEasy *easy, const struct AwsSigv4 *signing)
{
    struct Buf provider = BUF(128), token = BUF(8192);
    buf_printf(&provider, "aws:amz:%s:%s", signing->region, signing->service);
    bool signs =
        !provider.cut &&
        curl_easy_setopt(easy->curl, CURLOPT_AWS_SIGV4, provider.text) == CURLE_OK &&
        curl_easy_setopt(easy->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_AWS_SIGV4) == CURLE_OK;
    buf_free(&provider);
    if (!signs)
        return "libcurl cannot sign this request";
    curl_easy_setopt(easy->curl, CURLOPT_USERNAME, environment_secret(signing->access_key_id));
    curl_easy_setopt(easy->curl, CURLOPT_PASSWORD, environment_secret(signing->secret_access_key));
    if (signing->session_token != NULL) {
        buf_printf(&token, "X-Amz-Security-Token: %s", environment_secret(signing->session_token));
        easy->headers = curl_slist_append(easy->headers, token.text);
        explicit_bzero(token.text, token.size);
    }
    buf_free(&token);
    return NULL;
}

/* NULL, or why it must not be sent. */
static const char *set_headers(struct HttpEasy *easy, const struct HttpRequest *request)
{
    /* No waiting for 100 Continue. libcurl would sign that too, and not send it; so where it signs
     * a body has to be small enough that it does not ask for that: 1 MiB. */
    if (request->signing == NULL)
        easy->headers = curl_slist_append(NULL, "Expect:");
    for (size_t n = 0; n < request->header_count; n++) {
        struct Buf line = BUF(8192);
        const char *value = request->headers[n].value;
        if (value[0] == '\0')
            buf_printf(&line, "%s;", request->headers[n].name);
        else
            buf_printf(&line, "%s: %s", request->headers[n].name, value);
        easy->headers = curl_slist_append(easy->headers, line.text);
        buf_free(&line);
    }
    const char *why = request->signing != NULL ? set_signing(easy, request->signing) : NULL;
    curl_easy_setopt(easy->curl, CURLOPT_HTTPHEADER, easy->headers);
    return why;
}

static void set_method(struct HttpEasy *easy, const struct HttpRequest *request)
{
    if (request->body != NULL) {
        curl_easy_setopt(easy->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(request->body));
        curl_easy_setopt(easy->curl, CURLOPT_COPYPOSTFIELDS, request->body);
        curl_easy_setopt(easy->curl, CURLOPT_CUSTOMREQUEST,
                         request->method != NULL ? request->method : "POST");
    } else if (request->method != NULL && text_equal(request->method, "HEAD")) {
        curl_easy_setopt(easy->curl, CURLOPT_NOBODY, 1L);
    } else if (request->method != NULL && !text_equal(request->method, "GET")) {
        curl_easy_setopt(easy->curl, CURLOPT_CUSTOMREQUEST, request->method);
    }
}

static void set_through(struct HttpEasy *easy, const struct Endpoint *through)
{
    struct Buf line = BUF(256);
    bool v6 = strchr(through->host, ':') != NULL;
    buf_printf(&line, "::%s%s%s:%u", v6 ? "[" : "", through->host, v6 ? "]" : "",
               (unsigned)through->port);
    easy->addresses = curl_slist_append(NULL, line.text);
    curl_easy_setopt(easy->curl, CURLOPT_CONNECT_TO, easy->addresses);
    buf_free(&line);
}

/* As OpenSSL has it everywhere else (tls.h); libcurl alone would not look. */
static void set_trust(CURL *curl)
{
    const char *file = getenv("SSL_CERT_FILE"), *folder = getenv("SSL_CERT_DIR");
    if (file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, file);
    if (folder != NULL)
        curl_easy_setopt(curl, CURLOPT_CAPATH, folder);
}

const char *easy_set(struct HttpEasy *easy, const struct HttpRequest *request, void *private)
{
    CURL *curl = easy->curl;
    easy->keep = request->keep;
    easy->fd = -1;
    easy->body = BUF(BODY_MAX);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, private);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(curl, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "faildrill");
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, easy->error);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, easy);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, easy);
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, request->keep ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, request->keep ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, request->keep ? 1L : 0L);
    set_trust(curl);
    curl_easy_setopt(curl, CURLOPT_CERTINFO, request->wants_certificate ? 1L : 0L);
    if (request->user != NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(curl, CURLOPT_USERNAME, request->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, environment_secret(request->secret));
    }
    const char *why = set_headers(easy, request);
    set_method(easy, request);
    if (request->through != NULL)
        set_through(easy, request->through);
    return why;
}

void easy_set_addresses(struct HttpEasy *easy, const struct HttpUrl *url,
                        const struct Answer *addresses)
{
    struct Buf line = BUF(1024);
    buf_printf(&line, "%s:%u:", url->host, (unsigned)url->port);
    const char *address = NULL;
    for (size_t n = 0; (address = dns_address(addresses, n)) != NULL; n++) {
        bool v6 = strchr(address, ':') != NULL;
        buf_printf(&line, "%s%s%s%s", n > 0 ? "," : "", v6 ? "[" : "", address, v6 ? "]" : "");
    }
    curl_slist_free_all(easy->addresses);
    easy->addresses = curl_slist_append(NULL, line.text);
    curl_easy_setopt(easy->curl, CURLOPT_RESOLVE, easy->addresses);
    buf_free(&line);
}

static enum CallEnd end_of(const struct HttpEasy *easy, CURLcode result, int *code)
{
    if (result == CURLE_OK || (result == CURLE_WRITE_ERROR && easy->body.cut))
        return CALL_ANSWERED;
    long number = easy->socket_errno;
    if (number == 0)
        curl_easy_getinfo(easy->curl, CURLINFO_OS_ERRNO, &number);
    *code = (int)number;
    switch ((int)result) { /* libcurl has a hundred more */
    case CURLE_COULDNT_RESOLVE_HOST:
        return CALL_UNRESOLVED;
    case CURLE_COULDNT_CONNECT:
        return number != 0 ? tcp_end_of_errno((int)number) : CALL_REFUSED;
    case CURLE_OPERATION_TIMEDOUT:
        return CALL_TIMEOUT;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        return CALL_RESET;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return CALL_TLS;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
        return CALL_LOCAL;
    default:
        return CALL_PROTOCOL;
    }
}

static struct Mono moment(const struct HttpEasy *easy, CURLINFO info, struct Mono started)
{
    curl_off_t us = 0;
    curl_easy_getinfo(easy->curl, info, &us);
    return us > 0 ? mono_add(started, us * NS_PER_US) : (struct Mono){.ns = 0};
}

static void look_at_tcp(struct HttpEasy *easy)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof(peer);
    if (easy->opened && easy->tcp.ns == 0 && easy->fd >= 0 &&
        getpeername(easy->fd, (struct sockaddr *)&peer, &size) == 0)
        easy->tcp = mono_now();
}

void easy_waits_for(struct HttpEasy *easy, int fd)
{
    easy->fd = fd;
    look_at_tcp(easy);
}

void easy_answer(struct HttpEasy *easy, CURLcode result, struct Answer *answer)
{
    const char *peer = NULL;
    look_at_tcp(easy);
    answer->code = 0;
    answer->end = end_of(easy, result, &answer->code);
    if (answer->end == CALL_ANSWERED) {
        long status = 0;
        curl_easy_getinfo(easy->curl, CURLINFO_RESPONSE_CODE, &status);
        answer->code = (int)status;
        answer->bytes = easy->body.text;
        answer->size = easy->body.size;
        answer->cut = easy->body.cut;
    } else {
        answer->bytes = easy->error[0] != '\0' ? easy->error : curl_easy_strerror(result);
        answer->size = strlen(answer->bytes);
    }
    curl_easy_getinfo(easy->curl, CURLINFO_PRIMARY_IP, &peer);
    snprintf(easy->peer, sizeof(easy->peer), "%.63s", peer != NULL ? peer : "");
    answer->peer = easy->peer;
    answer->connected = moment(easy, CURLINFO_CONNECT_TIME_T, answer->started);
    if (answer->connected.ns == 0)
        answer->connected = easy->tcp;
    if (answer->connected.ns == 0 && (answer->end == CALL_TLS || answer->end == CALL_RESET))
        answer->connected = answer->ended; /* by then at the latest */
    answer->first_byte = moment(easy, CURLINFO_STARTTRANSFER_TIME_T, answer->started);
}

/* The server's own is the first; libcurl gives it among other things as PEM. */
struct Wall easy_certificate_ends(const struct HttpEasy *easy)
{
    static const char label[] = "Cert:";
    const struct curl_certinfo *shown = NULL;
    if (curl_easy_getinfo(easy->curl, CURLINFO_CERTINFO, &shown) != CURLE_OK || shown == NULL ||
        shown->num_of_certs == 0)
        return (struct Wall){.ns = 0};
    for (const struct curl_slist *at = shown->certinfo[0]; at != NULL; at = at->next)
        if (text_starts(at->data, label))
            return tls_pem_ends(at->data + strlen(label));
    return (struct Wall){.ns = 0};
}

void easy_clear(struct HttpEasy *easy)
{
    curl_slist_free_all(easy->headers);
    curl_slist_free_all(easy->addresses);
    buf_free(&easy->body);
    easy->headers = easy->addresses = NULL;
}
