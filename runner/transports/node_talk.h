/* node_talk.h - how the files of node.h talk with a host: scripts out, lines back. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TRANSPORTS_NODE_TALK_H
#define FD_TRANSPORTS_NODE_TALK_H

#include "node.h"

#define NODE_REPLY_MAX (256 * 1024)
#define NODE_SCRIPT_MAX (2 * 1024 * 1024)
#define NODE_ROOT "/run/faildrill"

enum Privilege { PRIVILEGE_NONE, PRIVILEGE_DIRECT, PRIVILEGE_SUDO };

struct HostNode {
    const struct Target *target;
    void *session;
    struct Firing *firings; /* that stand ready on it */
    enum Privilege privilege;
    char peer[64], port[8];                /* of SSH_CONNECTION, printed anew; "" without ssh */
    char own[64];                          /* its own end of it, as it says */
    char user[64], sh[64], sudo_said[160]; /* of PRIVILEGE_NONE */
};

/* The constant texts, functions only; drive.sh and ask.sh want node.sh and files.sh before them,
 * which is in LIBRARY_FILES too. */
extern const char node_sh[], drive_sh[], ask_sh[], files_sh[], pods_sh[], strike_sh[];

/* What a session asks first, and how every script begins: the text behind `sh -c`. */
extern const char talk_who[], talk_boot[];
/* FD_ID and FD_DIR of a fault. */
void talk_fault(struct Buf *script, const struct Token *token, uint32_t number);
/* Of `sh service VERB`, `sh service file VERB` and its like, `sh hold VERB`, `sh pods
 * VERB`. */
enum {
    LIBRARY_SERVICE = 1,
    LIBRARY_FILES = 2,
    LIBRARY_HOLDER = 4,
    LIBRARY_PODS = 8,
    LIBRARY_ALL = 15
};
/* What these commands (shell text, or NULL) call. */
unsigned library_of(const char *commands);
/* FD_LIB, FD_SERVICE, FD_HOLDER and FD_PODS, empty where nobody needs them, then node.sh itself. */
void talk_library(struct Buf *script, unsigned needs);

/* node_pods.c: the same questions, of a pod. */
bool pods_facts(struct HostNode *node, const struct Pods *pods, struct Mono deadline,
                struct Arena *arena, struct HostFacts *out, struct Err *err) MUST_CHECK;
enum Known pods_serves(struct HostNode *node, const struct Pods *pods, struct Mono deadline,
                       struct Err *err) MUST_CHECK;
void pods_scan_script(struct Buf *script);
/* Of lines "trace kind id what who", with a tab between them: an id once, and who left it. */
const char *node_trace_ids(const struct Buf *reply, struct Arena *arena);

/* node.sh and what asks about a service: its functions too where one is to be asked about. */
void talk_service(struct Buf *script, bool runs);

/* Starts `body` as root on the host; complete or not at all. The first line of the script is what
 * only this connection knows (FD_PEER, FD_PORT). NULL on failure. */
void *talk_start(struct HostNode *node, const struct Buf *body, struct Mono deadline,
                 struct Err *err);
/* Reads until a line "fd:WORD" (whole, or with more behind it) stands in the reply, which is then
 * true, or until the script is at its end, which is false without an error only after "fd:end". */
enum Talk { TALK_BROKEN, TALK_WORD, TALK_END };
enum Talk talk_until(struct HostNode *node, void *channel, const char *word, struct Buf *reply,
                     struct Mono deadline, struct Err *err);
/* Start, read to the end, finish. */
bool talk(struct HostNode *node, const struct Buf *body, struct Buf *reply, struct Mono deadline,
          struct Err *err) MUST_CHECK;

/* A line "fd:KEY VALUE" of the reply: its value without control characters, cut to `size`. False
 * where there is none; `out` may be NULL. */
bool reply_get(const struct Buf *reply, const char *key, char *out, size_t size);
/* The next such line from *at on (NULL = the first): its value in the arena, or NULL. */
char *reply_next(const struct Buf *reply, const char **at, const char *key, struct Arena *arena);
/* The answers of allow.sh. */
void reply_allow(const struct Buf *reply, struct Arena *arena, struct HostFacts *facts);
/* "refused ..." as an error; true where there was none. */
bool reply_allowed(const struct HostNode *node, const struct Buf *reply, enum ErrCode code,
                   const char *what, struct Err *err);

#endif
