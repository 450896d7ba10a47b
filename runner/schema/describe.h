/* describe.h - what the tables say, for people, editors and messages. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SCHEMA_DESCRIBE_H
#define FD_SCHEMA_DESCRIBE_H

#include "../base/buf.h"
#include "../base/json.h"
#include "field.h"

/* A kind of file: scenario, environment, project. */
struct FileKind {
    const char *name, *summary;
    const struct Record *record;
};
/* All that can stand in files; borrowed. */
struct Tables {
    const struct FileKind *files;
    size_t file_count;
    const struct VariantSet *sets;
    size_t set_count;
};

/* `explain PATH`: "scenario.steps.kill.for", or any unique end of it ("expect", "kill"). False
 * with the nearest names in *err where nothing matches. */
bool explain_path(const struct Tables *tables, const char *path, struct Buf *out,
                  struct Err *err) MUST_CHECK;
/* JSON Schema draft-07 for one kind of file. */
void json_schema_write(const struct FileKind *file, const struct VariantSet *sets, size_t set_count,
                       struct Json *json);
/* All words of all files, as Markdown: scenarios/REFERENCE.md. */
void reference_write(const struct FileKind *files, size_t file_count, const struct VariantSet *sets,
                     size_t set_count, struct Buf *out);

/* Problems as LANGUAGE.md 4.6 shows them: at most 20, then "and N more"; excerpts from `documents`
 * (found by Where.file == Document.path). */
void problems_write(const struct Problems *problems, const struct Document *const *documents,
                    size_t document_count, struct Buf *out);

#endif
