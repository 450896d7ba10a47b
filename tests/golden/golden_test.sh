#!/usr/bin/env bash
# golden_test - what the program says about files, word for word: bad/*.yaml beside bad/*.expect.
# SPDX-License-Identifier: Apache-2.0
# A first line `# validate: OPTIONS` gives options. UPDATE=1 writes the .expect files anew: read the diff.
set -uo pipefail

cd -- "${BASH_SOURCE[0]%/*}" || exit 1
program=$(realpath -- "${FAILDRILL:-../../build/faildrill}")
actual=$(mktemp) failed=0
trap 'rm -f "$actual"' EXIT
unset FAILDRILL_STATE

# Runs `validate` on a file; what it said and its exit status go to $actual.
look() {
    local -a options=()
    read -r -a options < <(sed -n '1s/^# validate: //p' "$1")
    "$program" validate "${options[@]}" "$1" >"$actual" 2>&1
    echo "exit $?" >>"$actual"
}

say() {
    if [ "$1" = 0 ]; then
        echo "ok $2"
    else
        echo "not ok $2"
        failed=1
    fi
}

for file in bad/*.yaml; do
    name=${file#bad/} expect=${file%.yaml}.expect
    look "$file"
    if [ "${UPDATE:-}" = 1 ]; then
        cp "$actual" "$expect"
    fi
    diff -u "$expect" "$actual"
    say $? "bad file ${name%.yaml}"
    ! grep -qx 'exit 0' "$actual"
    say $? "bad file ${name%.yaml} is refused"
done

for file in good/*.yaml good/environments/*.yaml include/*.yaml include/fragments/*.yaml; do
    name=${file#good/}
    "$program" validate --strict "$file" >"$actual" 2>&1
    status=$?
    [ $status = 0 ] || cat "$actual"
    say $status "good file ${name%.yaml}"
done

# What a file includes, written out, is a file that means the same: its hash is of the same text.
for file in include/*.yaml; do
    name=${file#include/} expect=${file%.yaml}.expanded
    "$program" validate --expand "$file" >"$actual" 2>&1
    if [ "${UPDATE:-}" = 1 ]; then
        cp "$actual" "$expect"
    fi
    diff -u "$expect" "$actual"
    say $? "expanded file ${name%.yaml}"
    folder=$(mktemp -d)
    cp "$actual" "$folder/$name"
    "$program" validate --json --expand "$file" >"$actual" 2>&1
    "$program" validate --json --expand "$folder/$name" | diff "$actual" - && [ -s "$actual" ]
    say $? "expanded file ${name%.yaml} means what it was made of"
    rm -r "$folder"
done

# The project's own drills, without an environment and in each that it has.
for options in "" "-e staging" "-e production"; do
    # shellcheck disable=SC2086
    "$program" -C ../.. validate --strict $options >"$actual" 2>&1
    status=$?
    [ $status = 0 ] || cat "$actual"
    say $status "the project's own files${options:+ in ${options#-e }}"
done

# Experiments that others published, alone and in the environment that comes with them.
for options in "" "-e anywhere"; do
    # shellcheck disable=SC2086
    "$program" -C ../../scenarios/published validate --strict $options >"$actual" 2>&1
    status=$?
    [ $status = 0 ] || cat "$actual"
    say $status "the published experiments${options:+ in ${options#-e }}"
done

# The drills of RDS, for which there is no lab: in the environment that comes with them.
for options in "" "-e rds"; do
    # shellcheck disable=SC2086
    "$program" -C ../../scenarios/aws validate --strict $options >"$actual" 2>&1
    status=$?
    [ $status = 0 ] || cat "$actual"
    say $status "the drills in scenarios/aws${options:+ in ${options#-e }}"
done

# Every example of the language's design, alone and in both of its environments; the rest by name.
cd language || exit 1
for file in environments/*.yaml scenarios/*.yaml drills/*.yaml first_screen/*.yaml; do
    want=0
    ! grep -q "^$file  " not_yet.txt || want=2
    for options in "" "-e staging" "-e production"; do
        [ -z "$options" ] || [ "${file%%/*}" != environments ] || continue
        [ "$file$options" != "scenarios/postgres_backup_restore.yaml-e production" ] || continue # its lab is in staging
        # shellcheck disable=SC2086
        "$program" validate $options "$file" >"$actual" 2>&1
        status=$?
        [ $status = $want ] || cat "$actual"
        [ $status = $want ]
        say $? "example $file${options:+ in ${options#-e }}"
    done
done
cd ..

# The drills of a system, in the environment that the lab has for them; ENVIRONMENT:FOLDER where they differ.
for system in patroni postgres repmgr autofailover redis_cluster redis_alone:redis web etcd rabbitmq pair:taught mariadb galera; do
    mapfile -t drills < <(cd ../.. && printf '%s\n' scenarios/"${system#*:}"/*.yaml)
    "$program" -C ../.. validate --strict -e "${system%:*}" "${drills[@]}" >"$actual" 2>&1
    status=$?
    [ $status = 0 ] || cat "$actual"
    say $status "the drills in scenarios/${system#*:}"
done
exit $failed
