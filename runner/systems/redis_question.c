/* redis_question.c - several commands to several servers at once, and one end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/arena.h"
#include "../base/duration.h"
#include "redis_system.h"

/* A connection to one server. Once it was silent it is given no more to ask: what was lost on the
 * way is sent again by TCP later and later, long after the server is back, so the next question has
 * a line of its own. */
struct Line {
    struct RedisClient *client;
    struct Line **place; /* in system->hosts or ->sentinels; NULL: it was silent */
    size_t waiting;      /* parts; closed with the last one where it was silent */
};

struct Part {
    struct RedisSystem *system;
    struct Line *line;         /* NULL: a host was asked by its `reach:` */
    struct Question *question; /* NULL: it has ended */
    struct Part *next;
    struct Call *call;
    struct PartOf of;
};

void *question_begin(struct RedisSystem *system, size_t size, struct Mono deadline,
                     void (*finish)(struct Question *question))
{
    struct Question *question = mem_zero(1, size);
    *question = (struct Question){.system = system,
                                  .next = system->questions,
                                  .asked = mono_now(),
                                  .deadline = deadline,
                                  .finish = finish};
    system->questions = question;
    return question;
}

static void unlink_question(struct Question *question)
{
    struct Question **at = &question->system->questions;
    while (*at != question)
        at = &(*at)->next;
    *at = question->next;
    loop_timer_free(question->timer);
    question->timer = NULL;
}

/* Who has not answered is not waited for, but his connection stays. Done functions may ask anew,
 * cancel or close the system: the question is out of its list by then. */
static void end_question(struct Question *question)
{
    struct RedisSystem *system = question->system;
    unlink_question(question);
    while (question->parts != NULL) {
        struct Part *part = question->parts;
        question->parts = part->next;
        part->question = NULL;
        part->next = system->orphans;
        system->orphans = part;
    }
    question->finish(question);
    mem_free(question);
}

static void line_close(struct Line *line)
{
    if (line == NULL)
        return;
    redis_close(line->client);
    mem_free(line);
}

void lines_close(struct Line **lines, size_t count)
{
    for (size_t n = 0; n < count; n++)
        line_close(lines[n]);
    mem_free(lines);
}

/* A part of it has ended. */
static void line_ended(struct Line *line, bool silent)
{
    line->waiting--;
    if (silent && line->place != NULL) {
        *line->place = NULL;
        line->place = NULL;
    }
    if (line->waiting == 0 && line->place == NULL)
        line_close(line);
}

static void drop_parts(struct Part **parts)
{
    while (*parts != NULL) {
        struct Part *part = *parts;
        *parts = part->next;
        call_cancel(part->call);
        if (part->line != NULL)
            line_ended(part->line, false);
        mem_free(part);
    }
}

static void cancel_questions(struct RedisSystem *system, bool lasting)
{
    struct Question **at = &system->questions;
    while (*at != NULL) {
        struct Question *question = *at;
        if (question->lasts && !lasting) {
            at = &question->next;
            continue;
        }
        unlink_question(question);
        drop_parts(&question->parts);
        mem_free(question);
    }
    drop_parts(&system->orphans);
}

void questions_cancel(struct RedisSystem *system)
{
    cancel_questions(system, false);
}

void questions_end(struct RedisSystem *system)
{
    cancel_questions(system, true);
}

static void on_answer(void *data, const struct Answer *answer)
{
    struct Part ended = *(struct Part *)data;
    struct Question *question = ended.question;
    struct Part **at = question != NULL ? &question->parts : &ended.system->orphans;
    while (*at != data)
        at = &(*at)->next;
    *at = ended.next;
    mem_free(data);
    if (ended.line != NULL)
        line_ended(ended.line, answer->end == CALL_TIMEOUT);
    if (question == NULL)
        return;
    question->waiting--;
    bool more = ended.of.fn(question, ended.of.index, answer);
    if (!more || question->waiting == 0)
        end_question(question);
}

/* NULL with nothing asked: our side has no way to try. */
static struct Line *line_at(struct RedisSystem *system, struct Line **place,
                            const struct Endpoint *endpoint)
{
    struct Err err = {.code = ERR_OWN};
    if (*place != NULL)
        return *place;
    struct RedisClient *client = redis_open(system->loop, endpoint, &err);
    if (client == NULL)
        return NULL;
    *place = mem_zero(1, sizeof(**place));
    **place = (struct Line){.client = client, .place = place};
    return *place;
}

static void ask(struct Question *question, struct Line *line, const struct PartOf *of,
                const char *const *words)
{
    if (line == NULL)
        return;
    struct Part *part = mem_zero(1, sizeof(*part));
    *part = (struct Part){.system = question->system,
                          .line = line,
                          .question = question,
                          .next = question->parts,
                          .of = *of};
    question->parts = part;
    question->waiting++;
    line->waiting++;
    part->call = redis_call(line->client, words, question->deadline, on_answer, part);
}

void ask_remote(struct Question *question, struct Remote *remote, const struct PartOf *of,
                const char *const *argv, struct Mono deadline)
{
    struct Part *part = mem_zero(1, sizeof(*part));
    *part = (struct Part){
        .system = question->system, .question = question, .next = question->parts, .of = *of};
    question->parts = part;
    question->waiting++;
    part->call = remote_call(remote, of->index, argv, deadline, on_answer, part);
}

void ask_line(struct Question *question, struct Line **place, const struct Endpoint *at,
              const struct PartOf *part, const char *const *words)
{
    ask(question, line_at(question->system, place, at), part, words);
}

void ask_host(struct Question *question, size_t index, PartFn *fn, const char *const *words)
{
    struct RedisSystem *system = question->system;
    struct Endpoint at = {.host = NULL};
    redis_endpoint(system->access, system->role->hosts[index], &at);
    ask_line(question, &system->hosts[index], &at, &(struct PartOf){.fn = fn, .index = index},
             words);
}

void ask_hosts(struct Question *question, PartFn *fn, const char *const *words)
{
    for (size_t n = 0; n < question->system->role->host_count; n++)
        ask_host(question, n, fn, words);
}

static void on_timer(void *data, int events)
{
    (void)events;
    struct Question *question = data;
    question->waiting--;
    bool more = question->after != NULL && question->after(question);
    if (!more || question->waiting == 0)
        end_question(question);
}

void question_wait(struct Question *question, int64_t ns, bool (*after)(struct Question *))
{
    question->after = after;
    if (question->timer == NULL)
        question->timer = loop_timer(question->system->loop, on_timer, question);
    loop_timer_at(question->timer, mono_min(mono_add(mono_now(), ns), question->deadline));
    question->waiting++;
}

void question_go(struct Question *question)
{
    if (question->waiting == 0)
        question_wait(question, 0, NULL);
}
