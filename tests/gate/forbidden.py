#!/usr/bin/env python3
# forbidden.py - requests that a drill's key must not get through: changed ones of those that were recorded.
# SPDX-License-Identifier: Apache-2.0
"""forbidden.py RECORDED OUT: RECORDED/NAME.command and .read are what the runner sent. Writes OUT/N.command, OUT/N.read
and OUT/N.what; each would leave /run/canary.N on the host, or arm what its file does not allow, if it were run."""
import hashlib
import os
import re
import sys

recorded, out = sys.argv[1:3]
scripts, boot = {}, None
for name in sorted(os.listdir(recorded)):
    if not name.endswith('.read'):
        continue
    text = open(os.path.join(recorded, name), encoding='utf-8').read()
    command = open(os.path.join(recorded, name[:-4] + 'command'), encoding='utf-8').read().rstrip('\n')
    if '\n#end ' not in text:
        continue
    body = text[:text.rindex('\n#end ')]
    lines = body.split('\n')
    verb = lines[-2] if lines[-1] == 'echo fd:end' else '?'
    scripts.setdefault(verb.strip(), body)
    boot = re.sub(r' \d+ [0-9a-f]+$', '', command)
count = 0


def write(what, command, read):
    global count
    count += 1
    for ending, text in (('what', what), ('command', command), ('read', read)):
        with open(os.path.join(out, f'{count}.{ending}'), 'w', encoding='utf-8') as file:
            file.write(text.replace('CANARY', f'/run/canary.{count}'))


def request(what, body, size=None, ending=None):
    body = body.replace('CANARY', f'/run/canary.{count + 1}')
    digest = hashlib.sha256(body.encode()).hexdigest()[:16]
    body = f'{body}\n#end {ending or digest}'
    write(what, f'{boot} {len(body.encode()) if size is None else size} {ending or digest}', body)


# Commands of their own.
for command in ('touch CANARY', 'sh -c "touch CANARY"', 'sudo -n sh -c "touch CANARY"', 'bash -c "touch CANARY"', '', 'sh', 'bash -i', 'env sh',
                'true; touch CANARY', '`touch CANARY`', '$(touch CANARY)', 'scp -t /run', 'rsync --server . /run', 'cat >CANARY', 'internal-sftp',
                'sh -s', 'python3 -c "open(\'CANARY\', \'w\')"', boot, boot + ' 1', boot + ' x y', boot + ' 5 a; touch CANARY',
                boot + ' 5 $(touch CANARY)', boot + ' -5 a', boot + ' 99999999999 a', boot + " '5' a", boot.replace('head -c', 'cat; head -c') + ' 5 a',
                'touch CANARY; ' + boot + ' 5 a', boot + ' 5 a b'):
    write(f'command {command[:40]}', command, 'touch CANARY\n')
# Scripts of their own.
for body in ('touch CANARY', 'touch CANARY\necho fd:end', 'FD_ROOT=\ntouch CANARY\necho fd:end', "FD_WHO='x'\ntouch CANARY", '', '\n', 'echo fd:end',
             "FD_WHO='", "FD_WHO='x'; touch CANARY", 'FD_WHO=$(touch CANARY)', 'FD_WHO=`touch CANARY`', 'FD_WHO="$(touch CANARY)"'):
    request(f'script {body[:40]!r}', body)
evil = 'touch CANARY'
for verb, body in scripts.items():
    lines = body.split('\n')
    library = [i for i, line in enumerate(lines) if line.startswith('FD_LIB=')]
    at = library[0] if library else next(i for i, line in enumerate(lines) if not re.match(r'[A-Za-z_]+=', line))
    for what, changed in (
            ('a line before', evil + '\n' + body),
            ('a line behind', body + '\n' + evil),
            ('a line in the code', '\n'.join(lines[:-1] + [evil] + lines[-1:])),
            ('a remark in the code', '\n'.join(lines[:-1] + ['# ' + evil] + lines[-1:])),
            ('a line where the code begins', '\n'.join(lines[:at] + [evil] + lines[at:])),
            ('PATH', "PATH='/run/evil:/usr/bin'\n" + body),
            ('LD_PRELOAD', "LD_PRELOAD=/run/evil.so\n" + body),
            ('another root', body.replace('FD_ROOT=', 'FD_ROOT=/run/evil', 1)),
            ('a peer that is code', "FD_PEER='$(touch CANARY)'\n" + body),
            ('a port that is code', "FD_PORT='22 accept; touch CANARY'\n" + body),
            ('a value behind a quote', "FD_WHO='x'$(touch CANARY)\n" + body),
            ('a value in double quotes', 'FD_WHO="$(touch CANARY)"\n' + body),
            ('two commands in a line', "FD_WHO='x'; touch CANARY\n" + body),
            ('a folder that is none', 'FD_DIR=${FD_ROOT:-/run/faildrill}/$(touch CANARY)\n' + body),
            ('a folder above', 'FD_DIR=${FD_ROOT:-/run/faildrill}/../../etc\n' + body),
            ('a variable of the shell', "IFS=/\n" + body),
            ('what sh reads first', "ENV=/run/evil.sh\n" + body),
            ('a name of its own', "helper_may=1\n" + body),
            ('the library of another', body.replace("FD_LIB='", "FD_LIB='touch CANARY\n", 1) if "FD_LIB='" in body else "FD_LIB='touch CANARY'\n" + body),
            ('a folder in a value', "FD_WHO='\nFD_DIR=$(touch CANARY)'\n" + body)):
        request(f'{verb}: {what}', changed)
# Faults that the file does not name, or not so long.
arm = scripts['arm']
parts = ('FD_SAVE', 'FD_APPLY', 'FD_UNDO', 'FD_PLACE', 'FD_CLEAR', 'FD_RENEW')
for part in parts:
    lines = arm.split('\n')
    at = next(i for i, line in enumerate(lines) if line.startswith(part + '='))
    for what, value in (('another', f"{part}='{evil}\n'"), ('nothing', f"{part}=''"), ('twice', None), ('behind its own', None), ('in a folder', None)):
        if what == 'nothing' and lines[at] in (f"{part}=''", f'{part}='):
            continue
        changed = list(lines)
        if what == 'twice':
            changed.insert(at, f"{part}='{evil}'")
        elif what == 'behind its own':
            changed.insert(next(i for i, line in enumerate(lines) if line.startswith('FD_ID=')), f"{part}='{evil}'")
        elif what == 'in a folder':
            changed.insert(next(i for i, line in enumerate(lines) if line.startswith('FD_ID=')), f"{part}='{evil}\nFD_DIR=${{FD_ROOT:-/run/faildrill}}/'")
        else:
            changed[at] = value if what != 'another' else f"{part}='{evil}\n'"
        request(f'arm: {part} {what}', '\n'.join(changed))
    request(f'arm: {part} on a line with others', arm.replace(f'\n{part}=', f'\nFD_EXTEND=1 {part}=', 1))
for cap in ('999999', '8640001', '-1', '0', '1e9', "'1 2'", "'$(touch CANARY)'", '99999999999999999999'):
    request(f'arm: cap {cap}', re.sub(r'FD_CAP=\d+', f'FD_CAP={cap}'.replace("'", "'\\''"), arm, count=1))
request('arm: code among its values', arm.replace("FD_VARS='", f"FD_VARS='{evil}\n", 1))
request('arm: a path among its values', arm.replace("FD_VARS='", "FD_VARS='PATH=/run/evil\n", 1))
request('arm: code behind a value', arm.replace("FD_VARS='FD_ID=", f"FD_VARS='FD_WHAT=x {evil}\nFD_ID=", 1))
print(count)
