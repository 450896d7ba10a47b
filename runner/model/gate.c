/* gate.c - the rules that must hold before a run may begin. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include "../base/duration.h"
#include "../base/text.h"
#include <inttypes.h>
#include <string.h>

enum { DIFFERENCES_MOST = 3, ID_SHOWN = 4 };

static const char *short_id(const char *run)
{
    size_t size = strlen(run);
    return size > ID_SHOWN ? run + size - ID_SHOWN : run;
}

void gate_add_rule(struct List *rules, struct Arena *arena, const char *name, bool holds,
                   const char *sentence)
{
    struct GateRule *rule = list_add(rules, arena, sizeof *rule);
    *rule = (struct GateRule){.name = name, .holds = holds, .sentence = sentence};
}

/* ---- protected: the name is typed. ---- */
static bool check_name(const struct GateInput *input, struct Arena *arena, struct List *rules)
{
    const char *name = input->environment->name;
    if (!input->environment->is_protected)
        return true;
    if (!input->ask_name) {
        gate_add_rule(rules, arena, "protected", true,
                      arena_printf(arena, "`run` asks for the name %s", name));
        return true;
    }
    bool holds = text_equal(input->confirmed, name);
    const char *sentence;
    if (holds)
        sentence = arena_printf(arena, "%s was named", name);
    else if (input->confirmed == NULL)
        sentence = arena_printf(arena, "type the name, or say --confirm %s", name);
    else
        sentence = arena_printf(arena, "'%s' is not %s", input->confirmed, name);
    gate_add_rule(rules, arena, "protected", holds, sentence);
    return holds;
}

/* ---- passed_in: the same text, elsewhere, not long ago. ---- */
struct Passes {
    size_t fresh;                  /* this text, within the time */
    const struct GatePass *newest; /* this text, fresh */
    const struct GatePass *stale;  /* this text, too long ago */
    const struct GatePass *other;  /* another text */
};

static struct Passes look_at_passes(const struct GateInput *input)
{
    const struct PassedIn *rule = input->environment->passed_in;
    struct Passes passes = {.fresh = 0};
    for (size_t i = 0; i < input->pass_count; i++) {
        const struct GatePass *pass = &input->passes[i];
        bool same = text_equal(pass->text_hash, input->scenario->text_hash);
        /* A pass from the future is as good as none: one of two clocks is wrong. */
        bool fresh =
            pass->ended.ns <= input->now.ns && input->now.ns - pass->ended.ns <= rule->within_ns;
        if (same && fresh) {
            passes.fresh++;
            passes.newest = passes.newest != NULL ? passes.newest : pass;
        } else if (same) {
            passes.stale = passes.stale != NULL ? passes.stale : pass;
        } else {
            passes.other = passes.other != NULL ? passes.other : pass;
        }
    }
    return passes;
}

static const char *say_passed(const struct GateInput *input, const struct Passes *passes,
                              struct Arena *arena)
{
    const struct PassedIn *rule = input->environment->passed_in;
    char within[32];
    duration_write(rule->within_ns, within);
    const struct GatePass *newest = passes->newest;
    const char *by = newest->by != NULL ? arena_printf(arena, " (receipt by %s)", newest->by) : "";
    return arena_printf(arena, "%s %zu of %" PRId64 " in %s: %s, same text%s%s", rule->environment,
                        passes->fresh, rule->times, within, short_id(newest->run),
                        newest->unaffected ? " (nobody noticed)" : "", by);
}

static const char *say_refused(const struct GateInput *input, const struct Passes *passes,
                               struct Arena *arena)
{
    const struct PassedIn *rule = input->environment->passed_in;
    char within[32], ended[32];
    duration_write(rule->within_ns, within);
    if (passes->fresh > 0)
        return arena_printf(arena, "%s has passed this text %zu of %" PRId64 " times in %s",
                            rule->environment, passes->fresh, rule->times, within);
    if (passes->other != NULL && passes->other->canonical != NULL) {
        struct Buf text = BUF(1000);
        canonical_difference(passes->other->canonical, input->scenario->canonical, DIFFERENCES_MOST,
                             &text);
        const char *sentence = arena_printf(
            arena, "%s has not passed this text: changed since %s: %s", rule->environment,
            short_id(passes->other->run), text.size > 0 ? text.text : "the tool's reading of it");
        buf_free(&text);
        return sentence;
    }
    if (passes->stale != NULL) {
        wall_utc(passes->stale->ended, ended);
        return arena_printf(arena, "%s passed this text in %s at %s, which is not within %s",
                            rule->environment, short_id(passes->stale->run), ended, within);
    }
    if (passes->other != NULL)
        return arena_printf(arena, "%s has passed another text (%s), not this one",
                            rule->environment, short_id(passes->other->run));
    return arena_printf(arena, "%s has not passed `%s` yet%s", rule->environment,
                        input->scenario->name,
                        rule->signed_by != NULL ? ", as far as signed receipts say" : "");
}

/* The newest receipts that were set aside, after what is known all the same. */
static const char *with_troubles(const struct GateInput *input, const char *sentence,
                                 struct Arena *arena)
{
    const char *const *texts = input->troubles.items;
    for (size_t i = 0; i < input->troubles.count && i < DIFFERENCES_MOST; i++)
        sentence = arena_printf(arena, "%s; %s", sentence, texts[i]);
    return sentence;
}

static bool check_passed_in(const struct GateInput *input, struct Arena *arena, struct List *rules)
{
    const struct PassedIn *rule = input->environment->passed_in;
    if (rule == NULL)
        return true;
    struct Passes passes = look_at_passes(input);
    bool holds = passes.fresh >= (size_t)rule->times;
    gate_add_rule(rules, arena, "passed_in", holds,
                  holds ? say_passed(input, &passes, arena)
                        : with_troubles(input, say_refused(input, &passes, arena), arena));
    return holds;
}

static void say_overrides(const struct GateInput *input, struct Arena *arena, struct List *rules)
{
    const struct GateOverride *row = input->environment->overrides.items;
    for (size_t at = 0; at < input->environment->overrides.count; at++)
        gate_add_rule(rules, arena, row[at].rule, true,
                      arena_printf(arena, "OVERRIDDEN by %s: %s", row[at].who, row[at].reason));
}

bool gate_check(const struct GateInput *input, struct Arena *arena, struct List *rules)
{
    *rules = (struct List){.items = NULL};
    say_overrides(input, arena, rules);
    bool named = check_name(input, arena, rules);
    bool passed = check_passed_in(input, arena, rules);
    bool timely = gate_times(&input->environment->times, input->now,
                             scenario_longest_ns(input->scenario), arena, rules);
    bool few = gate_today(input, arena, rules);
    bool planned = input->plan != NULL ? gate_check_plan(input->plan, arena, rules)
                                       : gate_check_text(input, arena, rules);
    return named && passed && timely && few && planned;
}
