/* server.h - a server on 127.0.0.1 that a test scripts, on the test's own loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_FAKES_SERVER_H
#define FD_FAKES_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "../../runner/base/clock.h"
#include "../../runner/io/loop.h"

struct Server;
struct Link; /* one connection of it */
/* Bytes came (not gathered to lines), or size 0: the peer went. */
typedef void ServerFn(void *data, struct Link *link, const char *bytes, size_t size);
struct Server *server_new(struct Loop *loop, ServerFn *fn, void *data);
uint16_t server_port(const struct Server *server);
int server_accepted(const struct Server *server); /* connections so far */
int server_open(const struct Server *server);     /* connections now */
void server_free(struct Server *server);          /* its connections too */
void link_send(struct Link *link, const char *text);
void link_send_bytes(struct Link *link, const char *bytes, size_t size);
void link_reset(struct Link *link);
/* As a Redis: takes the name that a client gives itself, behind AUTH, out of what it said, and out
 * of `reply` says the first line to AUTH, then OK to the name. What is left to say. */
const char *link_named(struct Link *link, char *said, const char *reply);
#define LINK_NAMES "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$9\r\nfaildrill\r\n"

/* A port on which nobody listens and that nobody else can take, until it is closed. */
int refused_port(uint16_t *port);

/* Runs the loop until *flag is true; fails the test after 60 s. */
void run_until(struct Loop *loop, const bool *flag);
struct Mono in_ms(int64_t ms); /* from now */
/* Runs it for what is already due: a turn or two. */
void run_turn(struct Loop *loop);

#endif
