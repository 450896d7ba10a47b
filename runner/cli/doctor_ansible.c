/* doctor_ansible.c - `doctor --ansible`, `--helper`: what hosts need, printed; nobody is asked. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor.h"

#include <string.h>

#include "../base/text.h"
#include "../transports/helper.h"

/* Whom drills log in as: `user` of the transport's own keys, where it has one. */
static const char *user_of(const struct Environment *environment)
{
    struct Target *const *hosts = environment->hosts.items;
    const struct TransportKind *reach = hosts[0]->reach;
    const unsigned char *config = hosts[0]->reach_config;
    for (const struct Field *field = reach->config.fields;
         field != NULL && config != NULL && field->name != NULL; field++) {
        if (field->type != FIELD_TEXT || !text_equal(field->name, "user"))
            continue;
        const char *user;
        memcpy(&user, config + field->offset, sizeof user);
        if (user != NULL)
            return user;
    }
    return "drill";
}

static void put_hosts(const struct Environment *environment, struct Buf *out)
{
    struct Target *const *hosts = environment->hosts.items;
    for (size_t at = 0; at < environment->hosts.count; at++)
        buf_printf(out, "%s%s", at > 0 ? ":" : "", hosts[at]->name);
}

/* A block of YAML: `text`, each line indented. */
static void put_block(const char *text, struct Buf *out)
{
    for (const char *at = text; *at != '\0'; at += *at == '\n') {
        size_t size = strcspn(at, "\n");
        buf_printf(out, "          %.*s\n", (int)size, at);
        at += size;
    }
}

/* Modules of ansible-core alone; whoever has no root by sudo yet lets it ask: -K. */
static const char USER[] =
    "    - name: The user that drills log in as; nobody knows a password of it\n"
    "      ansible.builtin.user: {name: \"{{ drill_user }}\", shell: /bin/sh, password: '*'}\n"
    "      register: drill_account\n"
    "    - name: The folder of its keys\n"
    "      ansible.builtin.file:\n"
    "        path: \"{{ drill_account.home }}/.ssh\"\n"
    "        state: directory\n"
    "        owner: \"{{ drill_user }}\"\n"
    "        mode: '0700'\n"
    "    - name: The key of the drill box\n"
    "      ansible.builtin.lineinfile:\n"
    "        path: \"{{ drill_account.home }}/.ssh/authorized_keys\"\n"
    "        line: \"{{ drill_key }}\"\n"
    "        create: true\n"
    "        owner: \"{{ drill_user }}\"\n"
    "        mode: '0600'\n"
    "    - name: It becomes root for sh alone, which is all that a drill runs\n"
    "      ansible.builtin.copy:\n"
    "        dest: /etc/sudoers.d/faildrill\n"
    "        content: \"{{ drill_user }} ALL=(root) NOPASSWD: /bin/sh, /usr/bin/sh\\n\"\n"
    "        mode: '0440'\n"
    "        validate: visudo -cf %s\n";
static const char ALLOW[] =
    "    - name: The host's own word, with the kinds that are wanted there\n"
    "      ansible.builtin.copy:\n"
    "        dest: /etc/faildrill.allow\n"
    "        owner: root\n"
    "        group: root\n"
    "        mode: '0644'\n"
    "        content: |\n";

int doctor_helper(void)
{
    struct Buf out = BUF(1U << 20);
    helper_write(CLI_VERSION, &out);
    int status = cli_print(&out, 0);
    buf_free(&out);
    return status;
}

int doctor_ansible(struct Cli *cli, const char *name)
{
    struct Loaded loaded;
    int status = cli_load(cli, NULL, name, &loaded);
    if (status != 0)
        return status;
    struct Doctor of = {.environment = loaded.environment, .kinds = cli->kinds};
    struct Buf out = BUF(1U << 20), lines = BUF(4000);
    buf_printf(&out,
               "# What drills need on the hosts of %s. Read it; then\n"
               "#   ansible-playbook -i INVENTORY -e \"drill_key='$(cat ~/.ssh/id_ed25519.pub)'\" "
               "THIS_FILE\n"
               "- name: faildrill on %s\n  hosts: \"",
               name, loaded.environment->name);
    put_hosts(loaded.environment, &out);
    buf_printf(&out, "\"\n  become: true\n  vars:\n    drill_user: %s\n  tasks:\n",
               user_of(loaded.environment));
    buf_put(&out, USER);
    buf_put(&out, ALLOW);
    doctor_allow_lines(&of, &lines);
    put_block(lines.text, &out);
    status = cli_print(&out, 0);
    buf_free(&out);
    buf_free(&lines);
    cli_unload(&loaded);
    return status;
}
