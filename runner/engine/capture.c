/* capture.c - a value from the output of a step. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "capture.h"

#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "../clients/json_find.h"
#include "../model/redact.h"

#define SECONDS_MAX 1e9
/* What a regular expression reads at once: nobody else is served meanwhile. */
#define REGEX_BYTES_MAX 8192

static bool no_value(const struct CaptureSpec *spec, struct Err *err, const char *why)
{
    return err_set(err, ERR_TARGET, NOWHERE, "`%s` was not captured: %s", spec->name, why);
}

/* The value as text, appended to `out`; the reason, or NULL. */
static const char *find(const struct CaptureSpec *spec, const struct Buf *output, struct Buf *out)
{
    const char *text = output->text != NULL ? output->text : "";
    if (strlen(text) != output->size)
        return "the output is no text";
    if (spec->json != NULL) {
        struct JsonText *json = json_text_read(text, output->size);
        bool found = json != NULL && json_text_find(json, spec->json, out);
        const char *why = found ? NULL : json != NULL ? "no such path in the JSON" : "no JSON";
        json_text_free(json);
        return why;
    }
    if (spec->regex == NULL) {
        buf_put(out, text);
        return NULL;
    }
    regex_t compiled;
    regmatch_t match[2];
    if (output->size > REGEX_BYTES_MAX)
        return "a regular expression reads 8192 bytes at most";
    if (regcomp(&compiled, spec->regex, REG_EXTENDED | REG_NEWLINE) != 0)
        return "its regular expression cannot be read";
    bool found = regexec(&compiled, text, COUNT_OF(match), match, 0) == 0;
    const regmatch_t *part = found && match[1].rm_so >= 0 ? &match[1] : &match[0];
    if (found)
        buf_add(out, text + part->rm_so, (size_t)(part->rm_eo - part->rm_so));
    regfree(&compiled);
    return found ? NULL : "the regular expression matches nothing";
}

/* As `$(...)` does. */
static void trim(struct Buf *text)
{
    while (text->size > 0 && strchr("\r\n", text->text[text->size - 1]) != NULL)
        text->text[--text->size] = '\0';
}

static bool seconds_of(const char *text, int64_t *ns)
{
    char *end = NULL;
    if (text[strspn(text, "0123456789.-")] != '\0')
        return false;
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(seconds) || fabs(seconds) > SECONDS_MAX)
        return false;
    *ns = llround(seconds * 1e9);
    return true;
}

static bool type_value(const struct CaptureSpec *spec, const char *text, struct RunFigure *out)
{
    switch (spec->type) {
    case FIGURE_INT:
        out->type = "int";
        return int_parse(text, &out->value.low_ns, NULL);
    case FIGURE_SECONDS:
        out->type = "seconds";
        return seconds_of(text, &out->value.low_ns);
    case FIGURE_TEXT:
    case FIGURE_CLOCK:
        out->type = "text";
        return true;
    }
    return false;
}

/* What was found, or why not; `text` is freed. */
static bool take(const struct CaptureSpec *spec, struct Buf *text, const char *why,
                 struct Arena *arena, struct RunFigure *out, struct Err *err)
{
    char said[200];
    trim(text);
    *out = (struct RunFigure){.name = spec->name,
                              .text = arena_bytes(arena, text->text ? text->text : "", text->size)};
    if (why == NULL && text->cut)
        why = "it is longer than 4096 bytes";
    else if (why == NULL && text->size == 0)
        why = "it is empty";
    else if (why == NULL && text_starts(out->text, "${secret."))
        why = "it names a secret, and what a host prints is never taken for one";
    buf_free(text);
    if (why != NULL)
        return no_value(spec, err, why);
    bool good = type_value(spec, out->text, out);
    out->value.high_ns = out->value.low_ns;
    if (good)
        return true;
    struct Buf clean = BUF(CAPTURE_BYTES_MAX); /* whole, before it is cut off */
    redact(out->text, &clean);
    snprintf(said, sizeof said, "'%.80s' is %s", clean.text,
             spec->type == FIGURE_INT ? "no whole number" : "no number of seconds");
    buf_free(&clean);
    return no_value(spec, err, said);
}

bool capture_read(const struct CaptureSpec *spec, const struct Buf *output, struct Arena *arena,
                  struct RunFigure *out, struct Err *err)
{
    struct Buf text = BUF(CAPTURE_BYTES_MAX);
    const char *why =
        output->cut ? "there was more output than is kept" : find(spec, output, &text);
    return take(spec, &text, why, arena, out, err);
}

bool capture_column(const struct CaptureSpec *spec, const char *value, struct Arena *arena,
                    struct RunFigure *out, struct Err *err)
{
    struct Buf text = BUF(CAPTURE_BYTES_MAX);
    buf_put(&text, value != NULL ? value : "");
    return take(spec, &text, value == NULL ? "there is no such column, or it is NULL" : NULL, arena,
                out, err);
}
