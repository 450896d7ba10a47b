# pods.sh - pods of a cluster, by kubectl on the runner's machine: who they are, ended, counted.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154,SC2015
# Stands behind node.sh; functions only. In a fault's folder it is the script `pods`:
#   sh pods VERB CONTEXT NAMESPACE SELECTOR NAME UID [READY]
# READY is how many were ready when the plan was made. `sent` there says that the cluster took our
# request, and how often the pod's containers had been started before: that a pod is gone proves
# nothing where nobody asked it to go.

pods_fail() {
    echo "$*"
    exit 1
}

# Output and errors together: what is ours begins with `pod`.
pods_kubectl() {
    kubectl --context="$context" --namespace="$space" --request-timeout=5s "$@" 2>&1
}

# Of each pod that is not on its way out: name, uid, address, ready or not, its controller, and how
# often its containers were started again.
pods_rows='{{range .items}}{{if not .metadata.deletionTimestamp}}pod {{.metadata.name}}'
pods_rows="$pods_rows {{.metadata.uid}} {{or .status.podIP \"-\"}} {{\$ready := \"no\"}}"
pods_rows="$pods_rows{{range .status.conditions}}{{if and (eq .type \"Ready\")"
pods_rows="$pods_rows (eq .status \"True\")}}{{\$ready = \"ready\"}}{{end}}{{end}}{{\$ready}}"
pods_rows="$pods_rows {{\$by := \"-\"}}{{range .metadata.ownerReferences}}{{if .controller}}"
pods_rows="$pods_rows{{\$by = .kind}}{{end}}{{end}}{{\$by}} {{range .status.containerStatuses}}"
pods_rows="$pods_rows{{.restartCount}}.{{end}}{{\"\\n\"}}{{end}}{{end}}"

pods_one='pod {{.metadata.uid}} {{range .status.containerStatuses}}{{.restartCount}}.{{end}}'

pods_why() {
    echo "kubectl: $(printf '%s\n' "$1" | tail -n 1 | tr -dc ' -~')"
}

# Sets `seen`, or `why` there is no answer.
pods_look() {
    seen=$(pods_kubectl get pods --selector="$selector" --output=go-template="$pods_rows") && return
    why=$(pods_why "$seen")
    return 125
}

pods_look_or_end() {
    pods_look || { echo "$why" && exit 125; }
}

# The row of our pod, of the same uid; empty where it is gone, or about to go.
pods_row() {
    printf '%s\n' "$seen" | awk -v uid="$uid" '$1 == "pod" && $3 == uid'
}

pods_ready() {
    printf '%s\n' "$seen" | awk '$1 == "pod" && $5 == "ready"' | wc -l
}

# Ready, and somebody will make another one.
pods_serves() {
    row=$(pods_row)
    case $row in
    '') echo "pod $name is gone, or is another one by now" && return 1 ;;
    *' ready '*) return 0 ;;
    esac
    echo "pod $name is not ready"
    return 1
}

pods_save() {
    pods_look_or_end
    pods_serves || exit 1
    case $row in *' ready - '*) pods_fail "nobody would make another pod: $name has no controller" ;; esac
}

# delete [SECONDS]: only the pod of this uid; another one by its name is none of ours.
pods_delete() {
    pods_look_or_end
    pods_serves || exit 1
    printf '{"kind":"DeleteOptions","apiVersion":"v1",%s"preconditions":{"uid":"%s"}}\n' \
        "${1:+\"gracePeriodSeconds\":$1,}" "$uid" >body || pods_fail 'cannot write the request'
    said=$(pods_kubectl delete --raw "/api/v1/namespaces/$space/pods/$name" --filename=body) ||
        pods_fail "$(pods_why "$said")"
    printf '%s\n' "${row##* }" >sent.new && mv sent.new sent || pods_fail 'cannot note what was done'
}

# By its name: a pod that somebody has given other labels is not gone.
pods_gone() {
    [ -e sent ] || pods_fail 'nothing was sent to the cluster'
    now_is=$(pods_kubectl get pod "$name" --ignore-not-found --output=go-template="$pods_one") ||
        { pods_why "$now_is" && exit 125; }
    read -r restarts <sent
    case $now_is in
    *"pod $uid $restarts") pods_fail "pod $name is still there" ;;
    esac
}

# As many as before: where nothing was done, nothing has to come back.
pods_back() {
    [ -e fired ] || [ -e scratch ] || return 0
    ! never_fired || return 0
    pods_look_or_end
    [ "$(pods_ready)" -ge "$ready" ] || pods_fail "$(pods_ready) of $ready pods are ready"
}

pods() {
    verb=$1 context=$2 space=$3 selector=$4 name=$5 uid=$6 ready=${7:-1}
    case $verb in
    save | gone | back) "pods_$verb" ;;
    kill) pods_delete 0 ;;
    restart) pods_delete ;;
    *) pods_fail "pods.sh knows no '$verb'" ;;
    esac
}

# ---- what the runner asks ----

# Every pod, for who picks among them.
pods_all() {
    if pods_look; then
        printf '%s\n' "$seen" | sed -n 's/^pod /fd:pod /p'
    else
        say "unknown $why"
    fi
}

pods_answer() {
    if ! pods_look; then
        say "unknown $why"
    elif pods_serves >/dev/null; then
        say serves
        case $row in *' ready - '*) ;; *) say replaced ;; esac
        case $row in *' ready StatefulSet '*) say stateful ;; esac
    else
        say idle
    fi
    say "ready $(pods_ready)"
}

pods_facts() {
    look_at_boot
    say "boot $boot"
    missing=''
    command -v kubectl >/dev/null || missing="kubectl (apt-get install kubernetes-client)"
    (flock -n 9) 2>/dev/null 9</proc/self || missing='flock (apt-get install util-linux)'
    command -v setsid >/dev/null || missing='setsid (apt-get install util-linux)'
    [ -n "$(printf x | sha256sum 2>/dev/null)" ] || missing='sha256sum (apt-get install coreutils)'
    say "missing $missing"
    pods_answer
    pods_traces
}

# Ours lie here, in the folder of this environment's clusters.
pods_traces() {
    tab=$(printf '\t')
    for folder in "$fd_root"/*_[0-9]*; do
        [ -d "$folder" ] || continue
        FD_WHAT='' FD_WHO=''
        # shellcheck source=/dev/null
        [ ! -r "$folder/vars" ] || . "$folder/vars"
        say "trace${tab}folder$tab${folder##*/}$tab${FD_WHAT:-never armed}$tab$FD_WHO"
    done
}
