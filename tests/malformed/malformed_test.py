#!/usr/bin/env python3
# malformed_test.py - files with one mistake each, from the field tables and by hand: every one is refused with its
# place, in 50 ms of processor time and 64 MiB.
# SPDX-License-Identifier: Apache-2.0
# Without an argument one of eleven, and all by hand; with a folder all, which stay there.
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", "build")
PROGRAM = os.path.abspath(os.environ.get("FAILDRILL", BUILD + "/faildrill"))
LONGEST_S, LARGEST_KIB, LEAST = 0.050, 64 << 10, 500
SANITIZED = "asan" in BUILD  # its shadow memory and its pace are its own

HEAD = "scenario: x\nprobes: {shop: {http: \"http://127.0.0.1/\"}}\ntargets: {victim: {role: api}}\n"
TAIL = "steps: [{kill: victim}]\nexpect: {shop: {max_errors: 5%}}\n"


def laughs(depth):
    """The billion laughs: each line nine times the one before."""
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join(['*a%d' % (n - 1)] * 9)}]" for n in range(1, depth)]
    return "\n".join(lines) + "\n"


def merges(depth):
    lines = ["m0: &m0 {k: v}"] + [f"m{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}]}}" for n in range(1, depth)]
    return "\n".join(lines) + "\n"


def by_hand():
    """name -> bytes; each is the file x.yaml."""
    files = {
        "empty": "", "blank": "\n\n  \n", "comment": "# nothing\n", "only_key": "scenario\n", "list": "- a\n",
        "two_documents": HEAD + TAIL + "---\n" + HEAD + TAIL, "directive": "%YAML 1.1\n---\n" + HEAD + TAIL,
        "end_in_quote": HEAD + "hypothesis: \"no end\n", "end_in_flow": HEAD + "steps: [{kill: victim\n",
        "tab": HEAD + "\tsteps: [{kill: victim}]\n", "colon": HEAD + "hypothesis: a: b\n" + TAIL,
        "anchor": HEAD + "owner: &a b\n" + TAIL, "alias": HEAD + "owner: *a\n" + TAIL,
        "tag": HEAD + "owner: !!str b\n" + TAIL, "own_tag": HEAD + "owner: !python/object/apply:os.system [id]\n" + TAIL,
        "merge": HEAD + "<<: {owner: b}\n" + TAIL, "complex_key": HEAD + "? [a, b]\n: c\n" + TAIL,
        "number_key": HEAD + "7: c\n" + TAIL, "empty_key": HEAD + "\"\": c\n" + TAIL, "null_key": HEAD + "~: c\n" + TAIL,
        "twice": HEAD + "probes: {}\n" + TAIL, "no_name": HEAD.replace("scenario: x\n", "owner: me\n") + TAIL,
        "other_name": HEAD.replace(": x\n", ": y\n") + TAIL, "no_kind": "probe: x\n", "kind_second": "owner: me\n" + HEAD + TAIL,
        "bom_inside": HEAD + "owner: a\ufeffb\n" + TAIL, "bidi": HEAD + "owner: a\u202eb\n" + TAIL,
        "nel": HEAD + "owner: a\u0085b\n" + TAIL, "line_separator": HEAD + "owner: a\u2028b\n" + TAIL,
        "nul_escape": HEAD + "owner: \"a\\0b\"\n" + TAIL, "nul": HEAD + "owner: a\0b\n" + TAIL,
        "escape": HEAD + "owner: a\x1b[2Jb\n" + TAIL, "bad_escape": HEAD + "owner: \"\\q\"\n" + TAIL,
        "surrogate": HEAD + "owner: \"\\ud800\"\n" + TAIL, "unquoted": HEAD + "steps: [{kill: ${param.x}}]\n",
        "unquoted_open": HEAD + "steps: [{kill: ${param.x}\n", "shell_name": HEAD.replace("victim", "$(id)") + TAIL,
        "laughs": laughs(30), "laughs_in_file": HEAD + laughs(12) + TAIL, "merges": merges(64),
        "alias_of_itself": "a: &a [*a]\n", "anchors": "".join(f"k{n}: &a{n} v\n" for n in range(5000)),
        "deep_flow": "a: " + "[" * 10000 + "]" * 10000 + "\n", "deep_open": "a: " + "[" * 100000,
        "deep_map": "a: " + "{a: " * 5000 + "}" * 5000 + "\n", "deep_block": "".join(" " * n + "a:\n" for n in range(600)),
        "deep_dashes": "- " * 50000 + "a\n", "long_scalar": HEAD + "owner: " + "x" * 200000 + "\n" + TAIL,
        "long_key": HEAD + "x" * 100000 + ": 1\n" + TAIL, "long_line": HEAD + "tags: [" + "a," * 60000 + "b]\n" + TAIL,
        "large": HEAD + "# " + "x" * 300000 + "\n" + TAIL, "huge": "# " + "x" * (8 << 20) + "\n",
        "many_keys": HEAD + "".join(f"key_{n}: 1\n" for n in range(9000)) + TAIL,
        "many_same": HEAD + "owner: a\n" * 9000 + TAIL, "many_probes": HEAD.replace("{shop", "{" + "".join(
            f"p{n}: {{tcp: \"a:1\"}}, " for n in range(2000)) + "shop") + TAIL,
        "many_steps": HEAD + "steps: [" + "{kill: nobody}, " * 3000 + "]\nexpect: {shop: {max_errors: 5%}}\n",
        "many_unquoted": HEAD + "steps: [" + "{kill: ${param.x}}, " * 500 + "]\n",
        "many_references": HEAD + "owner: \"" + "${param.x}" * 700 + "\"\n" + TAIL,
        "many_errors": HEAD + "steps: [" + "{zq: 1}, " * 4000 + "]\n", "quotes": HEAD + "owner: " + "'" * 9999 + "\n" + TAIL,
        "numbers": HEAD + "observe: " + "9" * 8000 + "s\n" + TAIL, "nested_flow": HEAD + "tags: " + "[a, " * 30 + "]" * 30 + "\n" + TAIL,
        "percent": HEAD + "owner: %n%s%n%s\n" + TAIL, "include_bomb": HEAD + "include: [" + "a.yaml, " * 3000 + "a.yaml]\n" + TAIL,
        "include_itself": HEAD + "include: x.yaml\n" + TAIL, "include_device": HEAD + "include: ../../../../../../dev/zero\n" + TAIL,
        "secret_inside": HEAD.replace("127.0.0.1/", "127.0.0.1/${secret.a}") + TAIL,
    }
    made = {name: text.encode("utf-8", "surrogatepass") for name, text in files.items()}
    made["not_utf8"] = (HEAD + "owner: ").encode() + b"\xff\xfe\n" + TAIL.encode()
    made["overlong"] = (HEAD + "owner: ").encode() + b"\xc0\xaf\n" + TAIL.encode()
    made["utf16"] = (HEAD + TAIL).encode("utf-16")
    made["binary"] = bytes(range(256)) * 40
    for at in range(8, len(HEAD), 7):  # cut off anywhere: what is left is never a drill
        made[f"cut_at_{at}"] = HEAD[:at].encode()
    return made


def write_files(folder):
    good = sorted(glob.glob("tests/golden/good/*.yaml") + glob.glob("tests/golden/good/environments/*.yaml") +
                  glob.glob("scenarios/*.yaml") + ["tests/golden/include/fragments/watch.yaml", "tests/golden/include/fragments/rest.yaml"])
    subprocess.run([f"{BUILD}/tests/malformed/write", folder, *good], check=True, stdout=subprocess.DEVNULL)
    for name, text in by_hand().items():
        os.makedirs(f"{folder}/hand.{name}")
        with open(f"{folder}/hand.{name}/x.yaml", "wb") as file:
            file.write(text)
    return sorted(glob.glob(f"{folder}/*/*.yaml"))


def look(path):
    """(path, exit status, what it said, processor seconds, KiB)."""
    with tempfile.TemporaryFile() as said:
        # A game day's drills are those of a project.
        project = ["-C", "tests/golden"] if "/monthly-day." in path else []
        child = subprocess.Popen([PROGRAM, *project, "validate", os.path.abspath(path)], stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().decode("utf-8", "replace")
    return path, child.returncode, text, used.ru_utime + used.ru_stime, used.ru_maxrss


def objection(path, status, said, seconds, kib):
    """What is wrong with how it was refused, or None."""
    if ".good." in path:
        return None if status == 0 else "the good file itself is refused"
    if status == 0:
        return "accepted"
    if status != 2:
        return f"exit {status}"
    if not re.search(r"--> \S*" + re.escape(os.path.basename(path)) + r":\d+:\d+$", said, re.M):
        return "refused without a place"
    if not SANITIZED and seconds > LONGEST_S:
        return f"{seconds * 1000:.0f} ms"
    if not SANITIZED and kib > LARGEST_KIB:
        return f"{kib >> 10} MiB"
    return None


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    files = write_files(folder)
    if len(sys.argv) == 1:
        files = [path for n, path in enumerate(files) if n % (40 if SANITIZED else 11) == 0 or "/hand." in path]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        looks = list(pool.map(look, files))
    wrong = [(one[0], objection(*one), one[2]) for one in looks if objection(*one)]
    for path, why, said in wrong[:int(os.environ.get("SHOW", 20))]:
        print(f"# {os.path.relpath(path, folder)}: {why}\n{said[:600]}")
    malformed = len(files) - sum(".good." in path for path in files)
    longest, largest = max(one[3] for one in looks), max(one[4] for one in looks)
    print(f"{'ok' if malformed >= LEAST or SANITIZED else 'not ok'} there are {malformed} malformed files, {len(by_hand())} of them by hand")
    print(f"{'not ok' if wrong else 'ok'} all but {len(wrong)} of {len(files)} are judged right; "
          f"the longest {longest * 1000:.0f} ms, the largest {largest >> 10} MiB")
    if len(sys.argv) == 1:
        shutil.rmtree(folder)
    return 1 if wrong or (malformed < LEAST and not SANITIZED) else 0


if __name__ == "__main__":
    sys.exit(main())
