/* ssh_keys.h - with which keys we log in: of the agent, and of files. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TRANSPORTS_SSH_KEYS_H
#define FD_TRANSPORTS_SSH_KEYS_H

#include "ssh_config.h"

/* The type of the public key inside a private key file: "ssh-ed25519". NULL, and *why, where the
 * file cannot be used. */
const char *ssh_key_type(const char *path, struct Arena *arena, const char **why);

/* An agent over its socket, each question with its deadline. */
struct Agent;
struct AgentKey {
    const char *type;
    const unsigned char *blob;
    size_t size;
};
struct Agent *agent_open(const char *path, struct Mono deadline); /* NULL: there is none */
void agent_close(struct Agent *agent);                            /* accepts NULL */
/* of struct AgentKey; in the arena. */
bool agent_keys(struct Agent *agent, struct Mono deadline, struct Arena *arena, struct List *out);
/* The signature of `data` without its type's name: mem_free it. */
struct Signature {
    unsigned char *bytes;
    size_t size;
};
bool agent_sign(struct Agent *agent, const struct AgentKey *key, const struct Buf *data,
                struct Mono deadline, struct Signature *out);

#endif
