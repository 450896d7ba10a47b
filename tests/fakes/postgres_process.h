/* postgres_process.h - a real PostgreSQL on a loopback address, for as long as a test needs it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_FAKES_POSTGRES_PROCESS_H
#define FD_FAKES_POSTGRES_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct PostgresProcess {
    pid_t pid; /* 0: it does not run */
    char address[16], folder[64], programs[64];
    uint16_t port;
};
bool postgres_process_missing(void); /* there is no PostgreSQL server here */
/* A new one on 127.0.0.1, with the superuser `drill` whose password is `sesame`; returns when it
 * takes connections. */
void postgres_process_start(struct PostgresProcess *postgres);
/* From here on it is a replica, of nobody; returns when it takes connections again. */
void postgres_process_demote(struct PostgresProcess *postgres);
void postgres_process_signal(const struct PostgresProcess *postgres, int signal_number);
void postgres_process_end(struct PostgresProcess *postgres); /* and its folder */

#endif
