/* dns.h - names to addresses, by c-ares. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_DNS_H
#define FD_CLIENTS_DNS_H

#include "call.h"

/* A numeric address is answered without a query. answer->bytes: the first address, numeric. */
struct DnsClient;
struct DnsClient *dns_open(struct Loop *loop, struct Err *err);
struct Call *dns_call(struct DnsClient *client, const char *name, struct Mono deadline, CallDone *done, void *data);
void dns_close(struct DnsClient *client);
bool address_is_numeric(const char *text);

#endif
