/* redis_process.h - a real redis-server on a loopback address, for as long as a test needs it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_FAKES_REDIS_PROCESS_H
#define FD_FAKES_REDIS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct RedisProcess {
    pid_t pid; /* 0: it does not run */
    char address[16], folder[64];
    uint16_t port;
};
bool redis_process_missing(void); /* there is no redis-server here */
/* A port that is free on each of the addresses 127.0.0.1 to 127.0.0.`count`. */
uint16_t free_port_of_all(int count);
/* On 127.0.0.`number`; returns when it answers. `option`: one more line of its configuration. */
void redis_process_start(struct RedisProcess *redis, int number, uint16_t port, const char *option);
/* Sends a command (words, NULL-ended) by a connection of its own and waits for the first line of
 * the reply, which is copied; "" where there is none. */
void redis_process_say(const struct RedisProcess *redis, const char *const *words, char out[128]);
void redis_process_signal(const struct RedisProcess *redis, int signal_number);
/* SIGKILL, and waits until it is gone. */
void redis_process_kill(struct RedisProcess *redis);
void redis_process_end(struct RedisProcess *redis); /* and its folder; accepts what never ran */

#endif
