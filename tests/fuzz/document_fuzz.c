/* document_fuzz.c - any bytes are read, decoded, shown and written back without harm. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit/schema_sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Decodes `document`; good files must write the same canonical JSON twice. */
static void decode_twice(const struct Document *document, struct Arena *arena,
                         struct Problems *problems, RefFn *reference)
{
    struct Decode decode = {.arena = arena,
                            .problems = problems,
                            .sets = sample_sets,
                            .set_count = COUNT_OF(sample_sets),
                            .reference = reference};
    struct Buf written[2] = {BUF(4u << 20), BUF(4u << 20)};
    size_t before = problems_errors(problems);
    for (size_t n = 0; n < COUNT_OF(written); n++) {
        struct Sample sample = {.title = NULL};
        bool good = decode_record(&decode, document->root, &sample_record, &sample);
        if (good && problems_errors(problems) != before)
            bug("good, with %zu problems", problems_errors(problems));
        if (!good && problems_errors(problems) == 0)
            bug("not good, without a problem");
        if (!good)
            break;
        struct Json json = json_begin(&written[n], false);
        canonical_write(&sample_record, &sample, 0, &json);
    }
    if (written[1].size > 0 && strcmp(written[0].text, written[1].text) != 0)
        bug("read twice, different");
    buf_free(&written[0]);
    buf_free(&written[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct Arena *arena = arena_new("fuzz", 256u << 20);
    struct Problems *problems = problems_new();
    const struct Document *document =
        document_parse("fuzz.yaml", (const char *)bytes, size, arena, problems);
    if (document->root == NULL && problems_errors(problems) == 0)
        bug("not read, without a problem");
    if (document->root != NULL) {
        decode_twice(document, arena, problems, NULL);
        decode_twice(document, arena, problems, sample_reference);
    }
    problems_sort(problems);
    struct Buf shown = BUF(1u << 20);
    problems_write(problems, &document, 1, &shown);
    buf_free(&shown);
    problems_free(problems);
    arena_free(arena);
    return 0;
}

#ifdef FUZZ_REPLAY
/* Without libFuzzer: reads each file that is named once. */
int main(int count, char **paths)
{
    for (int n = 1; n < count; n++) {
        FILE *file = fopen(paths[n], "rbe");
        if (file == NULL)
            bug("cannot open %s", paths[n]);
        char *bytes = mem_zero(1, 1u << 20);
        size_t size = fread(bytes, 1, 1u << 20, file);
        fclose(file);
        LLVMFuzzerTestOneInput((const uint8_t *)bytes, size);
        mem_free(bytes);
    }
    return 0;
}
#endif
