#!/usr/bin/env bash
# canary_test.sh - secrets from every source, on every path where something goes wrong: found nowhere afterwards.
# SPDX-License-Identifier: Apache-2.0
# shellcheck source=tests/lib.sh
. "${BASH_SOURCE[0]%/*}/../lib.sh"
in_lab bare:1

# --- three canaries, each with what shells, URLs and JSON write in their own way ---
printf '%s' "en'v /+\"A1" >"$work/env.canary"
printf '%s' "fi'le ?&\"B2" >"$work/file.canary"
printf '%s' "co'md %=\"C3" >"$work/command.canary"
chmod 600 "$work"/*.canary

mkdir "$work/scenarios" "$work/environments"
printf 'project: canaries\nstate: state\n' >"$work/faildrill.yaml"
{
    cat "$LAB_STATE/environments/bare.yaml"
    echo "secrets: {env: {env: CANARY}, file: {file: $work/file.canary}, command: {cmd: [cat, $work/command.canary]}}"
} >"$work/environments/bare.yaml"

# seek FOLDER_OR_FILE...: names what holds a canary, in any of five forms, at any place in base64.
cat >"$work/seek.py" <<'END'
import base64, json, os, shlex, sys, urllib.parse
work, places = sys.argv[1], sys.argv[2:]
forms = {}
for name in ("env", "file", "command"):
    value = open(f"{work}/{name}.canary", "rb").read()
    text = value.decode()
    forms[name, "raw"] = value
    forms[name, "url"] = urllib.parse.quote(text, safe="").encode()
    forms[name, "json"] = json.dumps(text)[1:-1].encode()
    forms[name, "shell"] = text.replace("'", "'\\''").encode()
    for before in range(3):
        whole = base64.b64encode(b"x" * before + value)
        forms[name, f"base64 +{before}"] = whole[(before * 8 + 5) // 6:((before + len(value)) * 8) // 6]
found = 0
for place in places:
    files = [place] if not os.path.isdir(place) else [os.path.join(at, one) for at, _, names in os.walk(place) for one in names]
    for path in files:
        try:
            data = open(path, "rb").read()
        except OSError:
            continue
        for (name, form), wanted in forms.items():
            if wanted in data and not path.endswith(".canary"):
                print(f"{path}: the {name} canary, {form}")
                found += 1
sys.exit(1 if found else 0)
END
seek() {
    python3 "$work/seek.py" "$work" "$@"
}
# Every process's words and environment, a second after it began or later, for as long as the drills run.
cat >"$work/watch.py" <<'END'
import os, sys, time
work, out = sys.argv[1], sys.argv[2]
values = [open(f"{work}/{name}.canary", "rb").read() for name in ("env", "file", "command")]
tick, looks = os.sysconf("SC_CLK_TCK"), 0
while not os.path.exists(f"{work}/over"):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            began = int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[19]) / tick
            old = float(open("/proc/uptime").read().split()[0]) - began > 1
            for what in ("cmdline", "environ"):
                data = open(f"/proc/{pid}/{what}", "rb").read()
                if any(value in data for value in values) and (what == "cmdline" or old):
                    open(out, "a").write(f"{pid} {what} {data[:200]!r}\n")
        except (OSError, IndexError, ValueError):
            continue
    looks += 1
    time.sleep(0.02)
open(f"{work}/looks", "w").write(str(looks))
END
python3 "$work/watch.py" "$work" "$work/hits" &
watcher=$!
at_end touch "$work/over"

# drill STATUS NAME: what it said goes to $work/said.NAME; the canary comes by the environment alone.
drill() {
    local status=$1 name=$2 got=0
    (
        cd "$work" || exit 9
        CANARY=$(cat "$work/env.canary")
        export CANARY
        exec "$FAILDRILL" run -e bare "$name" --no-input
    ) >"$work/said.$name" 2>&1 || got=$?
    [ "$got" = "$status" ] || { echo "exit $got"; cat "$work/said.$name"; return 1; }
}
# scenario NAME: steps and what is expected come from stdin.
scenario() {
    {
        printf 'scenario: %s\n' "$1"
        cat <<'END'
targets:
  victim: {role: idle, pick: 1}
probes:
  door: {tcp: "${target.victim.address}:22", every: 100ms}
steady: {for: 200ms, within: 20s}
hold: 300ms
observe: 300ms
settle: 20s
END
        cat
    } >"$work/scenarios/$1.yaml"
}
all='"${secret.env}" "${secret.file}" "${secret.command}"'

scenario prints <<END
steps:
  - run: |
      printf '%s\n' $all; printf '%s\n' $all >&2
      printf '%s' "a\${secret.env}" | base64 -w0 >&2; printf 'bc%s' $all | base64 -w0
      exit 3
    target: victim
expect:
  door: {max_outage: 5s}
END
check "a step that prints all of them, and fails" drill 1 prints
scenario captures <<END
steps:
  - {run: 'printf "%s|" $all', target: victim, capture: {all: {stdout: text}}}
  - note: "it was \${capture.all}"
  - {run: 'test -n "\${capture.all}" && sleep 2', target: victim}
  - {run: 'printf "%s" $all', target: victim, capture: {number: {stdout: int}}}
expect:
  all: {equals: nothing of that}
  door: {max_outage: 5s}
END
check "captured, noted, and no number" drill 1 captures
scenario asks <<END
steps:
  - http: "http://\${target.victim.address}:1/"
    headers: {Authorization: "\${secret.file}"}
    timeout: 3s
expect:
  door: {max_outage: 5s}
END
check "sent to nobody" drill 1 asks
# What a host knows it may say at any time: in a look, in an undo that fails, in its guard's log.
scenario tells <<END
steps:
  - {run: 'printf "%s " $all >/run/canary.said', target: victim}
  - run: touch /run/canary.fault
    target: victim
    fault: true
    undo: cat /run/canary.said >&2; test -e /run/canary.mended && rm -f /run/canary.fault
    proof: test -e /run/canary.fault
    for: 2s
undo: {within: 3s}
expect:
  door: {max_outage: 5s}
END
check "an undo that says them, and fails" drill 6 tells
"$lab" exec bare-1 touch /run/canary.mended
check "and is mended" wait_for 60 sh -c 'cd "$1" && "$2" undo >"$1/said.undo" 2>&1' sh "$work" "$FAILDRILL"
"$lab" exec bare-1 rm -f /run/canary.said /run/canary.mended

# --- sources that fail ---
printf 'cat "$1"; cat "$1" >&2; exit 4\n' >"$work/says"
sed "s|cmd: \[cat, |cmd: [sh, $work/says, |" -i "$work/environments/bare.yaml"
check "a command that says it, and fails" drill 2 prints
mv "$work/said.prints" "$work/said.command"
chmod 644 "$work/file.canary"
check "a file that others may read" drill 2 prints
chmod 600 "$work/file.canary"

# --- a runner that crashes, where any other program leaves a core ---
mkdir "$work/cores"
cat >"$work/crash.py" <<'END'
import os, resource, signal, sys
pid_file, canary, command = sys.argv[1], sys.argv[2], sys.argv[3:]
pid = os.fork()
if pid == 0:  # it alone has the canary: this process stays for longer than a second
    os.environ["CANARY"] = open(canary).read()
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # which a shell takes from what it starts in the background
    os.execvp(command[0], command)
open(pid_file + ".new", "w").write(str(pid))
os.rename(pid_file + ".new", pid_file)
_, status = os.waitpid(pid, 0)
print("signal", os.WTERMSIG(status), "core" if os.WCOREDUMP(status) else "no core")
END
# crash SIGNAL WAITS_FOR CANARY COMMAND...: says whether the kernel wrote a core, by whatever way this machine has for them.
crash() {
    local signal=$1 waits=$2 came=1
    shift 2
    rm -f "$work/crashed"
    (
        cd "$work/cores" && exec python3 "$work/crash.py" "$work/crashed" "$@"
    ) >"$work/said.crash" 2>&1 &
    wait_for 60 test -s "$work/crashed" && wait_for 60 eval "$waits" && came=0
    kill "-$signal" "$(cat "$work/crashed")"
    wait $!
    cat "$work/said.crash"
    return "$came"
}
scenario crashes <<END
steps:
  - {run: 'test -n "\${secret.env}\${secret.file}\${secret.command}" && touch /run/canary.waits && sleep 20', target: victim}
expect:
  door: {max_outage: 5s}
END
sed "s|cmd: \[sh, $work/says, |cmd: [cat, |" -i "$work/environments/bare.yaml"
if crash SEGV true /dev/null sleep 60 | grep -x 'signal 11 core'; then
    rm -f "$work"/cores/*
    for signal in SEGV ABRT QUIT; do
        "$lab" exec bare-1 rm -f /run/canary.waits
        check "its memory full of secrets, it dies of SIG$signal" crash "$signal" "$lab exec bare-1 test -e /run/canary.waits" \
            "$work/env.canary" "$FAILDRILL" -C "$work" run -e bare crashes --no-input
        check "and leaves no core" grep -qE '^signal [0-9]+ no core$' "$work/said.crash"
    done
    check "nor any other file" test -z "$(ls -A "$work/cores")"
else
    skip "a core of the runner" "this machine writes none of any program"
fi

for run in "$work"/state/runs/*/; do
    run=$(basename "$run")
    for format in html json md text; do
        (cd "$work" && "$FAILDRILL" report "$run" --format "$format" -o "$work/report.$run.$format") >/dev/null 2>&1
    done
done
touch "$work/over"
wait "$watcher"
check "there were reports to look at" test -n "$(ls "$work"/report.*.html)"
check "nothing that was said has one" seek "$work"/said.*
check "nor has the store, its log or a plan" seek "$work/state" "$work/cores"
check "nor any report" seek "$work"/report.*
check "nor the words or the environment of any process" test ! -s "$work/hits"
check "which were looked at often" test "$(cat "$work/looks")" -gt 20
check "nor what lies on the host" sh -c '"$1" exec bare-1 sh -c "cat /run/faildrill/* /run/faildrill/*/* 2>/dev/null" >"$2/node"; python3 "$2/seek.py" "$2" "$2/node"' sh "$lab" "$work"
printf '%s' "$(cat "$work/env.canary")" | base64 >"$work/said.sure"
check "and it would have been found" sh -c '! python3 "$1/seek.py" "$1" "$1/said.sure"' sh "$work"
