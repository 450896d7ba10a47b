#!/usr/bin/env bash
# init_test.sh - from an empty folder to a scenario that validates; nothing that is there is touched.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
mkdir "$work/shop" && cd "$work/shop" || exit 1

valid() {
    "$FAILDRILL" validate --strict "$@"
}
lines() {
    [ "$(wc -l <"$1")" -le 15 ]
}
check "a project with two hosts and a scenario" "$FAILDRILL" init --from-ssh api-1 --from-ssh api-2 lose_one
check "all of it is valid" valid
check "the scenario fits the environment" valid -e staging lose_one
check "the scenario has at most 15 lines" lines scenarios/lose_one.yaml
check "both hosts are there" grep -q 'hosts: \[api-1, api-2\]' environments/staging.yaml
check "editors find their schemas" test -s .faildrill/schema/scenario.json
sum=$(cat scenarios/* environments/* faildrill.yaml | sha256sum)
twice() {
    "$FAILDRILL" init lose_one 2>"$work/err"
    [ $? -eq 2 ] && grep -q 'scenarios/lose_one.yaml is there already' "$work/err"
}
check "what is there stays: exit 2" twice
check "an environment, too" bash -c '! "$0" init --from-ssh api-3' "$FAILDRILL"
unchanged() {
    [ "$(cat scenarios/* environments/* faildrill.yaml | sha256sum)" = "$sum" ]
}
check "nothing was changed" unchanged
check "no snake_case name: exit 2" bash -c '"$0" init Lose-One; [ $? -eq 2 ]' "$FAILDRILL"

sed 's/staging$/web/; s/^# endpoints/endpoints/; s/^#   shop:/  shop:/' environments/staging.yaml >environments/web.yaml
check "with an endpoint its users are asked" "$FAILDRILL" init -e web lose_web
check "by http" grep -q 'service: {http: "${endpoint.shop}"' scenarios/lose_web.yaml
check "which is valid" valid -e web lose_web
cat >environments/data.yaml <<'END'
environment: data
roles:
  api: {hosts: [api-1]}
  redis: {hosts: [redis-1, redis-2], unit: redis.service, redis_sentinel: {master: shop, sentinels: [redis-1, redis-2]}}
END
check "with a system its primary dies" "$FAILDRILL" init -e data primary_dies
check "which counts lost writes" grep -q 'max_lost: 0' scenarios/primary_dies.yaml
check "has at most 15 lines" lines scenarios/primary_dies.yaml
check "and is valid" valid -e data primary_dies

for template in machine redis_sentinel patroni partition restore dns disk; do
    check "--from $template" "$FAILDRILL" init -e data "from_$template" --from "$template"
    check "--from $template has at most 15 lines" lines "scenarios/from_$template.yaml"
    where=(-e data)
    [ "$template" != patroni ] || where=() # data has none
    check "--from $template is valid" valid "scenarios/from_$template.yaml" "${where[@]}"
done
check "no such template: exit 2, which there are" bash -c '"$0" init other --from dnss 2>&1 | grep -q "did you mean .dns"' "$FAILDRILL"

[ "$failed" -eq 0 ]
