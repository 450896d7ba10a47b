/* dns.h - names to addresses, and questions to name servers, by c-ares. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_DNS_H
#define FD_CLIENTS_DNS_H

#include "call.h"

/* A numeric address is answered without a query. answer->bytes: the best address, numeric. As
 * resolv.conf, hosts and RFC 6724 say when it was opened; nothing is kept from one call to the
 * next. */
struct DnsClient;
struct DnsClient *dns_open(struct Loop *loop, struct Err *err);
struct Call *dns_call(struct DnsClient *client, const char *name, struct Mono deadline,
                      CallDone *done, void *data);
/* Within done: the addresses, best first; NULL behind the last. */
const char *dns_address(const struct Answer *answer, size_t index);
/* One question to one server, sent once. */
struct DnsServer {       /* borrowed for the call */
    const char *address; /* numeric */
    uint16_t port;
    bool by_tcp; /* from the start, not only where an answer is too long */
};
struct DnsClient *dns_open_to(struct Loop *loop, const struct DnsServer *server, struct Err *err);
/* Records of a type, asked by name as it stands: neither search list nor hosts file. A client of
 * dns_open() asks the servers of resolv.conf, each again. answer->code: what the server says
 * (RFC 1035 RCODE, 0 = no error), bytes: the records, as dns_records.h writes them, or "". */
struct Call *dns_ask(struct DnsClient *client, const char *name, int type, struct Mono deadline,
                     CallDone *done, void *data);
void dns_close(struct DnsClient *client); /* cancels what is under way; accepts NULL */
bool address_is_numeric(const char *text);

#endif
