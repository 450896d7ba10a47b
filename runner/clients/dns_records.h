/* dns_records.h - what a name server's answer holds, in words. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_DNS_RECORDS_H
#define FD_CLIENTS_DNS_RECORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/buf.h"

/* By RFC 1035, 2782 and 3596. */
enum DnsType {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_SRV = 33
};
/* Appends the records of that type, one a line, as zone files write their data: "192.0.2.7",
 * "10 mail.example.net"; names without the last dot, of SOA the serial last, texts as they are.
 * False where the message is none, or is cut off; then `out` may hold a part. */
bool dns_records_read(int type, const unsigned char *message, size_t size, struct Buf *out);

#endif
