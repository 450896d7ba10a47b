/* mariadb_process.h - a real MariaDB on a loopback address, for as long as a test needs it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_FAKES_MARIADB_PROCESS_H
#define FD_FAKES_MARIADB_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct MariadbProcess {
    pid_t pid; /* 0: it does not run */
    char address[16], folder[64];
    uint16_t port;
};
bool mariadb_process_missing(void); /* there is no MariaDB server here */
/* A new one on 127.0.0.`number`, with a database `shop`, and users `drill`, whose password is
 * `sesame` and who may do all, and `reader`, who has no password and may read and insert in `shop`
 * with its table `t`, and look at replication. `more`: an option of its own, or NULL. Returns when
 * it takes connections. */
void mariadb_process_start(struct MariadbProcess *mariadb, int number, uint16_t port,
                           const char *more);
void mariadb_process_signal(const struct MariadbProcess *mariadb, int signal_number);
void mariadb_process_end(struct MariadbProcess *mariadb); /* and its folder */

#endif
