/* tcp.h - connects, and no more. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_TCP_H
#define FD_CLIENTS_TCP_H

#include "call.h"

/* Connects and closes by reset. The endpoint is copied. */
struct Call *tcp_call(struct Loop *loop, const struct Endpoint *endpoint, struct Mono deadline,
                      CallDone *done, void *data);

/* Shared by the clients. A non-blocking, close-on-exec socket that is connecting to a numeric
 * address; -1 with *end and *code. */
int tcp_connect(const char *address, uint16_t port, enum CallEnd *end, int *code);
/* Of a socket that became writable after tcp_connect: CALL_ANSWERED once it is connected. */
enum CallEnd tcp_connected(int fd, int *code);
enum CallEnd tcp_end_of_errno(int number); /* ECONNREFUSED -> REFUSED, EMFILE -> LOCAL ... */
void tcp_close_by_reset(int fd);           /* SO_LINGER 0, then close: leaves no TIME_WAIT */

/* "10.0.0.1:80", "name:80", "[::1]:80". False where it is none. */
bool tcp_address_split(const char *text, char host[256], uint16_t *port);

#endif
