/* transports_signature_test.c - who signed, whether the bytes are theirs, and whether they may. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../runner/transports/process.h"
#include "../../runner/transports/signature.h"

#define SPACE "faildrill-receipt"

struct Scene {
    char folder[32], ours[64], foreign[64], signers[64], signature[64];
    struct Buf text;
};

static void put_file(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void make_key(const char *path)
{
    const char *argv[] = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path, NULL};
    struct Buf out = BUF(4096);
    struct Err err;
    assert_true(process_output(argv, &out, mono_add(mono_now(), 30 * NS_PER_S), &err));
    buf_free(&out);
}

static void allow(const struct Scene *scene, const char *name, const char *key)
{
    char path[80], line[600], text[500] = "";
    snprintf(path, sizeof path, "%s.pub", key);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    int size = snprintf(line, sizeof line, "%s %s", name, text);
    put_file(scene->signers, line, (size_t)size);
}

static void sign(const struct Scene *scene, const char *key, const char *space)
{
    struct Buf signature = BUF(16 << 10);
    struct Err err = {.message = ""};
    if (!signature_make(key, space, &scene->text, &signature, &err))
        fail_msg("%s", err.message);
    put_file(scene->signature, signature.text, signature.size);
    buf_free(&signature);
}

static struct Scene begin(void)
{
    struct Scene scene = {.folder = "/tmp/fd-sign-XXXXXX", .text = BUF(1 << 20)};
    assert_non_null(mkdtemp(scene.folder));
    snprintf(scene.ours, sizeof scene.ours, "%s/ours", scene.folder);
    snprintf(scene.foreign, sizeof scene.foreign, "%s/foreign", scene.folder);
    snprintf(scene.signers, sizeof scene.signers, "%s/box.signers", scene.folder);
    snprintf(scene.signature, sizeof scene.signature, "%s/sig", scene.folder);
    make_key(scene.ours);
    allow(&scene, "staging_box", scene.ours);
    buf_put(&scene.text, "{\"receipt\": 1}\n");
    return scene;
}

static void end(struct Scene *scene)
{
    const char *argv[] = {"rm", "-rf", scene->folder, NULL};
    struct Buf out = BUF(4096);
    struct Err err;
    assert_true(process_output(argv, &out, mono_add(mono_now(), 30 * NS_PER_S), &err));
    buf_free(&out);
    buf_free(&scene->text);
}

static enum SignatureEnd look(const struct Scene *scene, const char **said)
{
    static char signer[128];
    static struct Err err;
    err = (struct Err){.message = ""};
    char list[1000];
    FILE *file = fopen(scene->signers, "re");
    size_t size = file != NULL ? fread(list, 1, sizeof list, file) : 0;
    if (file != NULL)
        fclose(file);
    enum SignatureEnd found =
        signature_check(&(struct SignatureLook){.signers = scene->signers,
                                                .list = file != NULL ? list : NULL,
                                                .list_size = size,
                                                .space = SPACE,
                                                .signature = scene->signature,
                                                .bytes = scene->text.text,
                                                .size = scene->text.size},
                        signer, &err);
    *said = found == SIGNATURE_GOOD ? signer : err.message;
    return found;
}

static void test_a_good_one_names_its_signer(void **state)
{
    (void)state;
    const char *said;
    struct Scene scene = begin();
    sign(&scene, scene.ours, SPACE);
    assert_int_equal(look(&scene, &said), SIGNATURE_GOOD);
    assert_string_equal(said, "staging_box");
    end(&scene);
}

/* As for anybody but root, of a process that nobody may look into, not even its children. */
static void test_the_list_is_read_though_our_proc_is_closed(void **state)
{
    (void)state;
    const char *said;
    struct Scene scene = begin();
    sign(&scene, scene.ours, SPACE);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE); /* refused to all but root, who alone has it */
        prctl(PR_SET_DUMPABLE, 0);
        _exit(look(&scene, &said) == SIGNATURE_GOOD ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    end(&scene);
}

static void test_each_changed_byte_breaks_it(void **state)
{
    (void)state;
    const char *said;
    struct Scene scene = begin();
    sign(&scene, scene.ours, SPACE);
    for (size_t at = 0; at < scene.text.size; at += 5) {
        scene.text.text[at] ^= 1;
        assert_int_equal(look(&scene, &said), SIGNATURE_BROKEN);
        assert_string_equal(said,
                            "is not what was signed: it was changed, or signed for another use");
        scene.text.text[at] ^= 1;
    }
    assert_int_equal(look(&scene, &said), SIGNATURE_GOOD);
    end(&scene);
}

static void test_one_for_another_use_counts_for_nothing(void **state)
{
    (void)state;
    const char *said;
    struct Scene scene = begin();
    sign(&scene, scene.ours, "file");
    assert_int_equal(look(&scene, &said), SIGNATURE_BROKEN);
    end(&scene);
}

static void test_a_foreign_signer_is_nobody(void **state)
{
    (void)state;
    const char *said;
    struct Scene scene = begin();
    make_key(scene.foreign);
    sign(&scene, scene.foreign, SPACE);
    assert_int_equal(look(&scene, &said), SIGNATURE_FOREIGN);
    assert_string_equal(said, "is signed by nobody in box.signers");
    end(&scene);
}

/* A key whose time in the list is over, and one that is there for another use. */
static void test_a_signer_who_may_no_longer_is_nobody(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"staging_box valid-before=\"20200101\"",
                                        "staging_box namespaces=\"git\""};
    const char *said;
    struct Scene scene = begin();
    sign(&scene, scene.ours, SPACE);
    for (size_t at = 0; at < sizeof NAMES / sizeof NAMES[0]; at++) {
        allow(&scene, NAMES[at], scene.ours);
        assert_int_equal(look(&scene, &said), SIGNATURE_FOREIGN);
    }
    end(&scene);
}

static void test_what_is_missing_is_said(void **state)
{
    (void)state;
    const char *said;
    struct Scene scene = begin();
    assert_int_equal(look(&scene, &said), SIGNATURE_BROKEN);
    assert_string_equal(said, "has no signature that can be read");
    put_file(scene.signature, "none", 4);
    assert_int_equal(look(&scene, &said), SIGNATURE_BROKEN);
    sign(&scene, scene.ours, SPACE);
    unlink(scene.signers);
    assert_int_equal(look(&scene, &said), SIGNATURE_UNASKED);
    end(&scene);
}

static void test_a_key_that_is_not_there_signs_nothing(void **state)
{
    (void)state;
    struct Scene scene = begin();
    struct Buf signature = BUF(16 << 10);
    struct Err err = {.message = ""};
    assert_false(signature_make("/nowhere/key", SPACE, &scene.text, &signature, &err));
    assert_non_null(strstr(err.message, "ssh-keygen cannot sign with '/nowhere/key': "));
    assert_int_equal(signature.size, 0);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_one_names_its_signer),
        cmocka_unit_test(test_the_list_is_read_though_our_proc_is_closed),
        cmocka_unit_test(test_each_changed_byte_breaks_it),
        cmocka_unit_test(test_one_for_another_use_counts_for_nothing),
        cmocka_unit_test(test_a_foreign_signer_is_nobody),
        cmocka_unit_test(test_a_signer_who_may_no_longer_is_nobody),
        cmocka_unit_test(test_what_is_missing_is_said),
        cmocka_unit_test(test_a_key_that_is_not_there_signs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
