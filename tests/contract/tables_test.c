/* tables_test.c - what every row of every table keeps, whoever adds it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit/model_case.h"

#include <jansson.h>

#include "../../runner/base/text.h"
#include "../fakes/track.h"

enum { RECORDS_MOST = 160 };

/* Every record that a file can hold, each once. */
struct Words {
    struct Arena *arena;
    const struct VariantSet *sets;
    size_t set_count;
    const struct Record *records[RECORDS_MOST];
    size_t count;
};

static void gather(struct Words *words, const struct Record *record)
{
    for (size_t i = 0; i < words->count; i++)
        if (words->records[i] == record)
            return;
    assert_true(words->count < RECORDS_MOST);
    words->records[words->count++] = record;
    for (const struct Field *field = record->fields; field->name != NULL; field++)
        if (field->of != NULL)
            gather(words, field->of);
}

static struct Words words_open(void)
{
    struct Words words = {.arena = arena_new("test", 64u << 20)};
    words.sets = kinds_sets(&faildrill_kinds, words.arena, &words.set_count);
    size_t file_count;
    const struct FileKind *files = kinds_files(&file_count);
    for (size_t i = 0; i < file_count; i++)
        gather(&words, files[i].record);
    for (size_t i = 0; i < words.set_count; i++)
        for (size_t k = 0; k < words.sets[i].count; k++)
            gather(&words, words.sets[i].at[k].record);
    return words;
}

static bool is_key(const struct Field *field)
{
    return field->name[0] != '\0';
}

/* Calls `each` for every row that is a key, and says which one failed. */
static void each_field(void (*each)(struct Words *words, const struct Record *record,
                                    const struct Field *field))
{
    struct Words words = words_open();
    for (size_t i = 0; i < words.count; i++)
        for (const struct Field *field = words.records[i]->fields; field->name != NULL; field++)
            if (is_key(field))
                each(&words, words.records[i], field);
    arena_free(words.arena);
}

#define FAIL_ROW(record, field, ...)                                                               \
    do {                                                                                           \
        print_error("%s.%s: ", (record)->name, (field)->name);                                     \
        print_error(__VA_ARGS__);                                                                  \
        print_error("\n");                                                                         \
        fail();                                                                                    \
    } while (0)

static bool is_sentence(const char *text)
{
    return text != NULL && strlen(text) > 8 && text_ends(text, ".") && !text_ends(text, "..") &&
           strchr(text, '\n') == NULL;
}

static void check_doc(struct Words *words, const struct Record *record, const struct Field *field)
{
    (void)words;
    if (!is_sentence(field->doc))
        FAIL_ROW(record, field, "the doc is no sentence: %s", field->doc);
    if (field->example == NULL)
        FAIL_ROW(record, field, "there is no example");
    if (!text_is_name(field->name, false))
        FAIL_ROW(record, field, "the key is not snake_case");
    static const char *const taken[] = {"on", "off", "yes", "no", "y", "n", "true", "false"};
    for (size_t i = 0; i < COUNT_OF(taken); i++)
        if (text_equal(field->name, taken[i]))
            FAIL_ROW(record, field, "other readers take the key for a truth value");
}

static void test_every_key_has_a_sentence_and_an_example(void **state)
{
    (void)state;
    each_field(check_doc);
}

static void check_choices(struct Words *words, const struct Record *record,
                          const struct Field *field)
{
    (void)words;
    if (field->type == FIELD_CHOICE && field->choices == NULL)
        FAIL_ROW(record, field, "a choice without choices");
    for (const struct Choice *choice = field->choices; choice != NULL && choice->name != NULL;
         choice++)
        if (!is_sentence(choice->doc))
            FAIL_ROW(record, field, "the choice %s has no sentence", choice->name);
}

static void test_every_choice_has_a_sentence(void **state)
{
    (void)state;
    each_field(check_choices);
}

static void check_unique(struct Words *words, const struct Record *record,
                         const struct Field *field)
{
    (void)words;
    for (const struct Field *other = field + 1; other->name != NULL; other++)
        if (text_equal(field->name, other->name))
            FAIL_ROW(record, field, "the key stands twice in its table");
}

static void test_no_key_stands_twice(void **state)
{
    (void)state;
    each_field(check_unique);
}

/* `text` as the value of `field` alone, by the code that reads files; false with *problems. */
static bool decodes(struct Words *words, const struct Field *field, const char *text,
                    struct Problems *problems)
{
    struct Field alone[] = {*field, {.name = NULL}};
    alone[0].flags &= ~(unsigned)FIELD_SUBJECT;
    size_t size = field->offset + 256;
    struct Record record = {.name = "alone", .doc = "One.", .size = size, .fields = alone};
    char *file = arena_printf(words->arena, "%s: %s\n", field->name, text);
    const struct Document *document =
        document_parse("example.yaml", file, strlen(file), words->arena, problems);
    struct Decode decode = {.arena = words->arena,
                            .problems = problems,
                            .sets = words->sets,
                            .set_count = words->set_count};
    return document->root != NULL &&
           decode_record(&decode, document->root, &record, arena_zero(words->arena, 1, size));
}

static void check_texts(struct Words *words, const struct Record *record, const struct Field *field)
{
    const char *const texts[] = {field->example, field->fallback};
    const char *const names[] = {"example", "default"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (texts[i] == NULL)
            continue;
        struct Problems *problems = problems_new();
        bool good = decodes(words, field, texts[i], problems);
        const char *why = problems_count(problems) > 0 ? problems_at(problems, 0)->message : "";
        if (!good)
            FAIL_ROW(record, field, "the %s `%s` cannot be read: %s", names[i], texts[i], why);
        problems_free(problems);
    }
}

static void test_every_example_and_default_can_be_read(void **state)
{
    (void)state;
    each_field(check_texts);
}

static void test_every_record_says_what_it_is(void **state)
{
    (void)state;
    struct Words words = words_open();
    for (size_t i = 0; i < words.count; i++) {
        if (!is_sentence(words.records[i]->doc))
            print_error("%s has no sentence: %s\n", words.records[i]->name, words.records[i]->doc);
        assert_true(is_sentence(words.records[i]->doc));
        assert_true(words.records[i]->size > 0);
    }
    arena_free(words.arena);
}

/* A kind's fields stand beside those of the record that has it: no name may be in both. */
static void test_no_kind_has_a_key_of_the_record_around_it(void **state)
{
    (void)state;
    struct Words words = words_open();
    for (size_t i = 0; i < words.count; i++) {
        const struct Record *record = words.records[i];
        for (size_t s = 0; record->variants != NULL && s < words.set_count; s++) {
            if (!text_equal(words.sets[s].name, record->variants))
                continue;
            for (const struct Field *field = record->fields; field->name != NULL; field++)
                for (size_t v = 0; is_key(field) && v < words.sets[s].count; v++) {
                    const struct Variant *variant = &words.sets[s].at[v];
                    assert_string_not_equal(field->name, variant->name);
                    bool beside = false;
                    for (const struct Field *own = variant->record->fields; own->name != NULL;
                         own++)
                        beside = beside || (own->flags & FIELD_SUBJECT) != 0;
                    for (const struct Field *own = variant->record->fields; own->name != NULL;
                         own++)
                        if (beside && (own->flags & FIELD_SUBJECT) == 0)
                            assert_string_not_equal(field->name, own->name);
                }
        }
    }
    arena_free(words.arena);
}

static void test_every_kind_has_a_name_of_its_own_and_a_summary(void **state)
{
    (void)state;
    struct Words words = words_open();
    for (size_t s = 0; s < words.set_count; s++)
        for (size_t i = 0; i < words.sets[s].count; i++) {
            const struct Variant *variant = &words.sets[s].at[i];
            assert_true(text_is_name(variant->name, false));
            assert_non_null(variant->summary);
            assert_true(strlen(variant->summary) > 8);
            for (size_t k = i + 1; k < words.sets[s].count; k++)
                assert_string_not_equal(variant->name, words.sets[s].at[k].name);
        }
    arena_free(words.arena);
}

static void test_every_error_has_a_number_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < ERR_COUNT; i++) {
        assert_true(is_sentence(err_doc((enum ErrCode)i)));
        for (int k = i + 1; k < ERR_COUNT; k++)
            assert_string_not_equal(err_number((enum ErrCode)i), err_number((enum ErrCode)k));
        if (err_number((enum ErrCode)i)[0] == 'W')
            assert_int_equal(err_status((enum ErrCode)i), 0);
        else
            assert_in_range(err_status((enum ErrCode)i), 2, 8);
    }
}

/* ---- Schemas and explain. ---- */
static void test_every_schema_is_json_and_closed(void **state)
{
    (void)state;
    struct Words words = words_open();
    size_t count;
    const struct FileKind *files = kinds_files(&count);
    for (size_t i = 0; i < count; i++) {
        struct Buf out = BUF(4 << 20);
        struct Json json = json_begin(&out, true);
        json_schema_write(&files[i], words.sets, words.set_count, &json);
        json_t *schema = json_loads(out.text, 0, NULL);
        assert_non_null(schema);
        assert_string_equal(json_string_value(json_object_get(schema, "$schema")),
                            "http://json-schema.org/draft-07/schema#");
        assert_non_null(strstr(out.text, "\"additionalProperties\": false"));
        assert_false(out.cut);
        json_decref(schema);
        buf_free(&out);
    }
    arena_free(words.arena);
}

static void test_every_kind_and_record_can_be_explained(void **state)
{
    (void)state;
    struct Words words = words_open();
    size_t count;
    const struct FileKind *files = kinds_files(&count);
    for (size_t s = 0; s < words.set_count; s++)
        for (size_t i = 0; i < words.sets[s].count; i++) {
            struct Buf out = BUF(1 << 20);
            struct Err err = {.message = ""};
            const char *name = words.sets[s].at[i].name;
            if (!explain_path(&(struct Tables){files, count, words.sets, words.set_count}, name,
                              &out, &err))
                print_error("explain %s: %s\n", name, err.message);
            assert_true(out.size > 0);
            buf_free(&out);
        }
    arena_free(words.arena);
}

/* ---- Kinds of fault. ---- */
struct PlanCase {
    struct Words words;
    struct Target target, peer;
    const char *addresses[1];
    struct Peer peers[1];
    const struct Target *hosts[1];
    struct Role role;
    const struct Role *roles[1];
    struct HostFacts facts;
    struct Token token;
    struct PlanInput input;
};

static void plan_open(struct PlanCase *c)
{
    *c = (struct PlanCase){.words = words_open()};
    c->target = (struct Target){.name = "a", .address = "10.0.0.1"};
    c->peer = (struct Target){.name = "b", .address = "10.0.0.2"};
    c->addresses[0] = c->peer.address;
    c->peers[0] = (struct Peer){.host = &c->peer, .addresses = c->addresses, .address_count = 1};
    c->hosts[0] = &c->target;
    c->role = (struct Role){.name = "api", .hosts = c->hosts, .host_count = 1};
    c->role.service.unit = "api.service";
    c->roles[0] = &c->role;
    c->facts = (struct HostFacts){.host = &c->target,
                                  .boot_id = "b",
                                  .machine_id_hash = "m",
                                  .peer = "10.0.0.9",
                                  .root = true,
                                  .systemd = true,
                                  .flock = true,
                                  .nft = true,
                                  .netem = true,
                                  .root_qdisc = "",
                                  .active = KNOWN_YES,
                                  .main_pid = "4711",
                                  .restart = "no",
                                  .sysrq = true,
                                  .panic_s = 10,
                                  .traces = ""};
    snprintf(c->token.text, sizeof c->token.text, "01k2abcdefghjkmnpqrstvwxyz");
    c->input = (struct PlanInput){.target = &c->target,
                                  .role = &c->role,
                                  .peers = c->peers,
                                  .peer_count = 1,
                                  .power = {.down = "off", .up = "on", .status = "is"},
                                  .roles = c->roles,
                                  .role_count = 1,
                                  .facts = &c->facts,
                                  .token = &c->token,
                                  .number = 1,
                                  .hold_ns = -1,
                                  .lease_ns = 30 * NS_PER_S,
                                  .cap_ns = 75 * NS_PER_S};
}

/* A config made of the required keys' examples, and of `share`, one of two ways to say how much;
 * `run` and `http` are faults with undo and proof, which no signed request is. */
static void *config_of(struct PlanCase *c, const struct FaultKind *kind)
{
    struct Buf text = BUF(4096);
    for (const struct Field *field = kind->config.fields; field->name != NULL; field++) {
        bool wanted = (field->flags & FIELD_REQUIRED) != 0 || text_equal(kind->name, "run") ||
                      kind->plain != NULL || text_equal(field->name, "share");
        if (is_key(field) && wanted && !text_equal(field->name, "aws_sigv4"))
            buf_printf(&text, "%s: %s\n", field->name, field->example);
    }
    struct Problems *problems = problems_new();
    struct Decode decode = {.arena = c->words.arena,
                            .problems = problems,
                            .sets = c->words.sets,
                            .set_count = c->words.set_count};
    const struct Document *document =
        document_parse("step", text.text, text.size, c->words.arena, problems);
    void *config = arena_zero(c->words.arena, 1, kind->config.size);
    assert_non_null(document->root);
    assert_true(decode_record(&decode, document->root, &kind->config, config));
    problems_free(problems);
    buf_free(&text);
    return config;
}

static void check_plan(struct PlanCase *c, const struct FaultKind *kind, const void *config)
{
    struct Err err = {.message = ""};
    struct Procedure one = {.lease_ns = 0}, other = {.lease_ns = 0};
    bool planned = kind->plan(config, &c->input, c->words.arena, &one, &err);
    if (!planned || !procedure_check(kind, &one, &err))
        print_error("%s: %s\n", kind->name, err.message);
    assert_true(planned);
    assert_true(procedure_check(kind, &one, &err));
    assert_true(kind->plan(config, &c->input, c->words.arena, &other, &err));
    char left[65], right[65];
    procedure_hash(&one, left);
    procedure_hash(&other, right);
    assert_string_equal(left, right);
}

static void test_every_fault_plans_what_procedure_check_wants(void **state)
{
    (void)state;
    static const int64_t holds[] = {-1, 60 * NS_PER_S};
    struct PlanCase c;
    plan_open(&c);
    for (size_t i = 0; faildrill_kinds.faults[i] != NULL; i++) {
        const struct FaultKind *kind = faildrill_kinds.faults[i];
        const void *config = config_of(&c, kind);
        for (size_t k = 0; k < COUNT_OF(holds); k++) {
            if (kind->reversal != REVERSAL_UNDO && holds[k] >= 0)
                continue;
            c.input.hold_ns = holds[k];
            c.role.service = (struct Service){.unit = "api.service"};
            check_plan(&c, kind, config);
            c.role.service = (struct Service){
                .pidfile = "/run/api.pid", .start = "api start", .stop = "api stop"};
            check_plan(&c, kind, config);
            c.role.service = (struct Service){.exe = "/usr/bin/api", .start = "api start"};
            if (kind->needs_service && text_equal(kind->name, "stop"))
                continue; /* a process alone has no clean stop */
            check_plan(&c, kind, config);
        }
    }
    arena_free(c.words.arena);
}

/* ---- No word of a file becomes shell text: what `sh -c` reads is ours, or the user's script. ----
 */
static void add_shell_texts(const struct Commands *commands, struct Buf *out)
{
    for (size_t i = 0; i < commands->count; i++)
        for (const char *const *word = commands->at[i].argv; *word != NULL; word++)
            if (text_equal(*word, "-c") && word[1] != NULL)
                buf_printf(out, "%s\n", word[1]);
}

static void shell_texts(const struct Procedure *procedure, struct Buf *out)
{
    const struct Commands *const all[] = {
        &procedure->save,      &procedure->apply, &procedure->undo,   &procedure->in_place,
        &procedure->all_clear, &procedure->renew, &procedure->strike, &procedure->returned};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        add_shell_texts(all[i], out);
}

/* Plans with `value` in one text of the config; false where it is refused. */
static bool texts_with(struct PlanCase *c, const struct FaultKind *kind, const struct Field *field,
                       const char *value, struct Buf *out)
{
    unsigned char *config = config_of(c, kind);
    struct Procedure procedure = {.lease_ns = 0};
    struct Err err;
    memcpy(config + field->offset, &value, sizeof value);
    if (!kind->plan(config, &c->input, c->words.arena, &procedure, &err))
        return false;
    shell_texts(&procedure, out);
    return true;
}

static void test_no_text_of_a_step_becomes_shell_text(void **state)
{
    (void)state;
    static const char *const values[] = {
        "/a",    "/$(id)", "/`id`",  "/a;id",     "/a'id'",  "/a\"id\"", "/a b",     "/a|id",
        "/a&id", "/a>b",   "/*",     "/${IFS}id", "/\\\'id", "/a#b",     "/~",       "/!id",
        "/a=b",  "/-rf",   "a.b",    "$(id)",     "`id`",    "a;id",     "'id'",     "\"$(id)\"",
        "-rf",   "--",     "%s%n",   "a\nid",     "a\r\nid", "a\tb",     "\xc3\xa9", "(id)",
        "{id,}", "a\\",    "$((1))", "<(id)"};
    struct PlanCase c;
    size_t planned = 0;
    plan_open(&c);
    for (size_t i = 0; faildrill_kinds.faults[i] != NULL; i++) {
        const struct FaultKind *kind = faildrill_kinds.faults[i];
        for (const struct Field *field = kind->config.fields; field->name != NULL; field++) {
            struct Buf first = BUF(4 << 20);
            bool begun = false;
            if (field->type != FIELD_TEXT || (field->flags & FIELD_SCRIPT) != 0)
                continue;
            for (size_t n = 0; n < COUNT_OF(values); n++) {
                struct Buf texts = BUF(4 << 20);
                if (texts_with(&c, kind, field, values[n], &texts)) {
                    if (begun && !text_equal(first.text, texts.text))
                        FAIL_ROW(&kind->config, field, "'%s' is in the shell's text", values[n]);
                    if (!begun)
                        buf_put(&first, texts.text);
                    begun = true;
                    planned++;
                }
                buf_free(&texts);
            }
            buf_free(&first);
        }
    }
    assert_true(planned > 300);
    arena_free(c.words.arena);
}

/* One that may be a plain request of ours wants its target only as a fault. */
static void test_every_fault_says_on_whom(void **state)
{
    (void)state;
    for (size_t i = 0; faildrill_kinds.faults[i] != NULL; i++) {
        bool has_target = false, plain = faildrill_kinds.faults[i]->plain != NULL;
        const struct Field *field = faildrill_kinds.faults[i]->config.fields;
        for (; field->name != NULL; field++)
            has_target = has_target ||
                         (text_equal(field->name, "target") && field->type == FIELD_ANY &&
                          (plain || (field->flags & FIELD_REQUIRED) != 0)) ||
                         (text_equal(field->name, "sides") && field->of == &CUT_RECORD);
        assert_true(has_target);
    }
}

static void test_every_probe_system_and_transport_has_its_functions(void **state)
{
    (void)state;
    for (size_t i = 0; faildrill_kinds.probes[i] != NULL; i++) {
        const struct ProbeKind *kind = faildrill_kinds.probes[i];
        assert_true(kind->open != NULL && kind->start != NULL && kind->cancel != NULL);
        assert_true(kind->close != NULL && kind->say != NULL);
        assert_int_equal(kind->is_ledger, kind->read_back != NULL);
        assert_true(!kind->needs_role || kind->role_offset < kind->config.size);
    }
    for (size_t i = 0; faildrill_kinds.systems[i] != NULL; i++) {
        const struct SystemKind *kind = faildrill_kinds.systems[i];
        assert_true(kind->open != NULL && kind->close != NULL && kind->cancel != NULL);
        assert_true(kind->ask_standing != NULL && kind->ask_redundancy != NULL);
        assert_true(kind->ask_prospect != NULL && kind->find_primary != NULL);
    }
    for (size_t i = 0; faildrill_kinds.transports[i] != NULL; i++) {
        const struct TransportKind *kind = faildrill_kinds.transports[i];
        assert_true(kind->open != NULL && kind->start != NULL && kind->write != NULL);
        assert_true(kind->end_input != NULL && kind->read != NULL && kind->status != NULL);
        assert_true(kind->finish != NULL && kind->close != NULL && kind->by_hand != NULL);
    }
    for (size_t i = 0; faildrill_kinds.formats[i] != NULL; i++)
        assert_true(faildrill_kinds.formats[i]->write != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key_has_a_sentence_and_an_example),
        cmocka_unit_test(test_every_choice_has_a_sentence),
        cmocka_unit_test(test_no_key_stands_twice),
        cmocka_unit_test(test_every_example_and_default_can_be_read),
        cmocka_unit_test(test_every_record_says_what_it_is),
        cmocka_unit_test(test_no_kind_has_a_key_of_the_record_around_it),
        cmocka_unit_test(test_every_kind_has_a_name_of_its_own_and_a_summary),
        cmocka_unit_test(test_every_error_has_a_number_of_its_own),
        cmocka_unit_test(test_every_schema_is_json_and_closed),
        cmocka_unit_test(test_every_kind_and_record_can_be_explained),
        TRACK("chaosd 146", test_every_fault_plans_what_procedure_check_wants),
        cmocka_unit_test(test_no_text_of_a_step_becomes_shell_text),
        cmocka_unit_test(test_every_fault_says_on_whom),
        cmocka_unit_test(test_every_probe_system_and_transport_has_its_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
