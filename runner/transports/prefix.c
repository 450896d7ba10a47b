/* prefix.c - commands behind words that lead to the host, such as docker exec. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/text.h"
#include "../schema/decode.h"
#include "kinds.h"
#include "pipes.h"

static const struct Field prefix_fields[] = {
    {.name = "words",
     .type = FIELD_LIST,
     .offset = offsetof(struct PrefixConfig, words),
     .flags = FIELD_REQUIRED | FIELD_SUBJECT,
     .example = "[ip, netns, exec, \"${host.name}\"]",
     .doc = "The words before every command; they must keep its standard streams and exit status."},
    {.name = NULL}};

/* Letters of `exec` that a value follows, in the same word or as the next one. */
static const char with_values[] = "cefnuw";

/* The place of WANTED among the words from `at` on, also as the end of a path; count where it is
 * not. */
static size_t find_word(const struct List *words, size_t at, const char *wanted)
{
    const char *const *all = words->items;
    for (; at < words->count; at++) {
        const char *slash = strrchr(all[at], '/');
        if (text_equal(slash != NULL ? slash + 1 : all[at], wanted))
            break;
    }
    return at;
}

/* The option of that letter or name; "-iu" is a cluster, in which one with a value is the last. */
static bool has_option(const char *word, char letter, const char *name)
{
    size_t size = strlen(name);
    if (strncmp(word, "--", 2) == 0)
        return strncmp(word + 2, name, size) == 0 && strchr("=", word[2 + size]) != NULL;
    return word[0] == '-' && memchr(word, letter, strcspn(word, with_values)) != NULL;
}

/* Whether the next word is this option's value, as in "-iu root" and "--user root". */
static bool wants_value(const char *word)
{
    static const char *const names[] = {"--container", "--detach-keys", "--env",    "--env-file",
                                        "--namespace", "--user",        "--workdir"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (text_equal(word, names[i]))
            return true;
    size_t plain = strcspn(word, with_values);
    return word[0] == '-' && word[1] != '-' && word[plain] != '\0' && word[plain + 1] == '\0';
}

/* `exec` of the engines closes its input unless told otherwise, and a terminal changes what goes
 * through it. Its options end at the container's name, those of kubectl at "--". */
static void check_exec(const char *engine, const struct List *words, size_t exec,
                       const struct Node *node, struct Decode *decode)
{
    const char *const *all = words->items;
    bool pods = text_equal(engine, "kubectl"), input = false, terminal = false;
    for (size_t at = exec + 1; at < words->count && !text_equal(all[at], "--"); at++) {
        if (all[at][0] != '-' && !pods)
            break;
        input |= has_option(all[at], 'i', "interactive") || has_option(all[at], 'i', "stdin");
        terminal |= has_option(all[at], 't', "tty");
        at += wants_value(all[at]);
    }
    if (!input)
        problems_say(decode->problems, ERR_RULE, node->where, "say -i behind exec",
                     "`%s exec` keeps no standard input: nothing of ours would get there", engine);
    if (terminal)
        problems_say(decode->problems, ERR_RULE, node->where, "leave out -t",
                     "`%s exec` with a terminal changes what goes through it", engine);
    if (pods && !text_equal(all[words->count - 1], "--"))
        problems_say(decode->problems, ERR_RULE, node->where, "end the words with \"--\"",
                     "`kubectl exec` would take the command's options for its own");
}

static void prefix_check(const void *record, const struct Node *node, struct Decode *decode)
{
    static const char *const engines[] = {"docker", "podman", "nerdctl", "kubectl"};
    const struct PrefixConfig *prefix = record;
    for (size_t i = 0; i < COUNT_OF(engines); i++) {
        size_t exec = find_word(&prefix->words, find_word(&prefix->words, 0, engines[i]), "exec");
        bool composed = find_word(&prefix->words, 0, "compose") < exec; /* has options of its own */
        if (exec < prefix->words.count && !composed)
            check_exec(engines[i], &prefix->words, exec, node, decode);
    }
}

static void *prefix_open(const void *config, const struct Target *target, struct Mono deadline,
                         struct Err *err)
{
    const struct PrefixConfig *prefix = config;
    (void)deadline;
    if (prefix->words.count == 0) {
        err_set(err, ERR_TARGET, target->where, "'%s' has an empty prefix", target->name);
        return NULL;
    }
    return pipes_open(&prefix->words);
}

static void prefix_by_hand(const void *config, const struct Target *target, struct Buf *out)
{
    const struct PrefixConfig *prefix = config;
    const char *const *words = prefix->words.items;
    (void)target;
    for (size_t i = 0; i < prefix->words.count; i++) {
        buf_put(out, words[i]);
        buf_char(out, ' ');
    }
    buf_put(out, "sh");
}

const struct TransportKind prefix_transport = {
    .name = "prefix",
    .summary = "commands behind words that lead to the host, such as docker exec",
    .config = {.name = "prefix",
               .doc = "The host is reached by words before every command.",
               .size = sizeof(struct PrefixConfig),
               .fields = prefix_fields,
               .check = prefix_check},
    .open = prefix_open,
    .start = pipes_start,
    .write = pipes_write,
    .end_input = pipes_end_input,
    .read = pipes_read,
    .status = pipes_status,
    .finish = pipes_finish,
    .close = pipes_close,
    .fd = pipes_fd,
    .by_hand = prefix_by_hand,
};
