/* dns.h - names to addresses, by c-ares. */
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
void dns_close(struct DnsClient *client); /* cancels what is under way; accepts NULL */
bool address_is_numeric(const char *text);

#endif
