/* mariadb_follow.c - after a promotion the other replicas are told whom to follow. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "mariadb_system.h"

/* They are told in one statement each, which the server carries out also without us. */
#define FOLLOW_NS (8 * NS_PER_S)

struct FollowAsk {
    struct MariadbAsk look; /* first */
};

static bool take_follow(struct Ask *ask, size_t host, const struct Answer *answer)
{
    struct Mariadb *system = ((struct MariadbAsk *)ask)->system;
    if (answer->end != CALL_ANSWERED || answer->code != MARIADB_ROWS)
        snprintf(system->owes, sizeof(system->owes),
                 "%.80s was not told to follow the new primary: %.160s",
                 system->role->hosts[host]->name,
                 answer->bytes[0] != '\0' ? answer->bytes : call_end_name(answer->end));
    return true;
}

static void tell_nobody(struct Ask *ask)
{
    (void)ask;
}

/* As an SQL string, whatever the server makes of backslashes: what has any of both is no address.
 */
static bool is_plain(const char *address)
{
    return strpbrk(address, "'\\\r\n") == NULL;
}

void mariadb_let_follow(struct Mariadb *system, size_t primary, const bool *followers)
{
    const struct MariadbConfig *config = system->config;
    const char *address = target_address(system->role->hosts[primary]);
    struct Mono deadline = mono_add(mono_now(), FOLLOW_NS);
    struct FollowAsk *mine = mariadb_ask_begin(system, sizeof(*mine), deadline, tell_nobody);
    char text[700];
    system->owes[0] = '\0';
    snprintf(text, sizeof(text),
             "begin not atomic if @@global.read_only then stop slave; change master to "
             "master_host = '%.255s', master_port = %lld, master_use_gtid = slave_pos; start "
             "slave; end if; end",
             address, (long long)config->access.port);
    for (size_t n = 0; is_plain(address) && n < system->role->host_count; n++)
        if (followers[n])
            (void)mariadb_ask_host(&mine->look.ask, &system->pool, n,
                                   &(struct MariadbQuestion){.text = text,
                                                             .user = config->admin,
                                                             .secret = config->admin_password,
                                                             .deadline = deadline},
                                   take_follow);
    ask_go(&mine->look.ask);
}
