/* doctor_parity.c - what a pass in one environment does not prove of another. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../base/table.h"
#include "../base/text.h"
#include "../engine/parity.h"
#include "doctor.h"

static void roles_of(const struct Environment *environment, const struct List *names,
                     struct Arena *arena, struct List *out)
{
    const char *const *name = names->items;
    for (size_t n = 0; n < names->count; n++) {
        const struct Role *role = environment_role(environment, name[n]);
        if (role != NULL)
            *(const struct Role **)list_add(out, arena, sizeof(void *)) = role;
    }
}

static void look(struct Drill *drill, const struct ParitySide *side, const struct List *names,
                 struct Survey *out)
{
    struct List roles = {.items = NULL};
    roles_of(side->environment, names, drill->cli->arena, &roles);
    survey_make(&(struct SurveyInput){.hosts = drill->hosts,
                                      .loop = drill->loop,
                                      .touched = roles.items,
                                      .touched_count = roles.count,
                                      .asked = roles.items,
                                      .asked_count = roles.count,
                                      .arena = drill->cli->arena},
                out);
}

static void say_unproven(const struct List *differences, const struct ParitySide sides[2],
                         struct Buf *out)
{
    const struct Difference *rows = differences->items;
    buf_printf(out, "a pass in %s does not prove for %s:", sides[0].environment->name,
               sides[1].environment->name);
    for (size_t n = 0, said = 0; n < differences->count; n++) {
        bool before = false;
        for (size_t k = 0; k < n && !before; k++)
            before = text_equal(rows[k].unproven, rows[n].unproven);
        if (!before)
            buf_printf(out, "%s %s", said++ > 0 ? ";" : "", rows[n].unproven);
    }
    buf_char(out, '\n');
}

static int say(const struct List *differences, const struct ParitySide sides[2])
{
    const struct Difference *rows = differences->items;
    if (differences->count == 0)
        return 0;
    struct Buf out = BUF(1U << 20);
    struct Table *table = table_new(4);
    table_row(table, (const char *const[]){"", "", sides[0].environment->name,
                                           sides[1].environment->name});
    for (size_t n = 0; n < differences->count; n++)
        table_row(table, (const char *const[]){rows[n].role, rows[n].what, rows[n].values[0],
                                               rows[n].values[1]});
    table_write(table, &out);
    table_free(table);
    say_unproven(differences, sides, &out);
    int status = cli_print(&out, err_status(ERR_NOT_READY));
    buf_free(&out);
    return status;
}

int doctor_parity(struct Drill *drill)
{
    struct Cli *cli = drill->cli;
    const char *name = cli_option(cli, "for");
    struct Loaded first = {.environment = NULL};
    int status = drill_load(drill, name, cli->args[0]);
    if (status != 0)
        return status;
    first = drill->loaded;
    drill->loaded = (struct Loaded){.environment = NULL};
    status = drill_load(drill, name, cli->args[1]);
    if (status == 0) {
        const struct Environment *both[2] = {first.environment, drill->loaded.environment};
        struct Survey surveys[2];
        struct ParitySide sides[2] = {{both[0], &surveys[0]}, {both[1], &surveys[1]}};
        struct List names = {.items = NULL}, differences = {.items = NULL};
        parity_roles(drill->loaded.scenario, both, cli->arena, &names);
        for (size_t side = 0; side < 2; side++)
            look(drill, &sides[side], &names, &surveys[side]);
        parity_compare(sides, &names, cli->arena, &differences);
        status = say(&differences, sides);
    }
    hosts_free(drill->hosts); /* before the environment that they are of */
    drill->hosts = hosts_new(drill->loop);
    cli_unload(&first);
    return status;
}
