#!/usr/bin/env node
// schemas_test.js - what `validate` accepts the JSON Schemas accept, and what it refuses they refuse, as far as a
// schema can: what it cannot is in beyond.txt, with the reason. By ajv (draft-07) and yaml, as editors do it.
// SPDX-License-Identifier: Apache-2.0
'use strict';
const fs = require('fs');
const path = require('path');
const { spawnSync } = require('child_process');

const build = process.env.BUILD || 'build';
const program = process.env.FAILDRILL || `${build}/faildrill`;
const modules = path.resolve(build, 'npm/node_modules');
const Ajv = require(`${modules}/ajv`);
const YAML = require(`${modules}/yaml`);
const here = path.dirname(__filename);

function schema(kind) {
    const text = spawnSync(program, ['schema', kind], { encoding: 'utf8' }).stdout;
    return new Ajv({ strict: false, allErrors: false, logger: false }).compile(JSON.parse(text));
}
const kinds = Object.fromEntries(['scenario', 'environment', 'fragment', 'gameday', 'project'].map(kind => [kind, schema(kind)]));

// Why an editor refuses the text, or null.
function editor(text) {
    let value;
    try {
        const document = YAML.parseDocument(text, { version: '1.2', uniqueKeys: true });
        if (document.errors.length > 0)
            return document.errors[0].message;
        value = document.toJS({ maxAliasCount: 100 });
    } catch (why) { // a bomb is too much for it
        return String(why);
    }
    const first = value && typeof value === 'object' ? Object.keys(value)[0] : undefined;
    const check = kinds[first];
    if (check === undefined)
        return 'no kind of file';
    return check(value) ? null : JSON.stringify(check.errors[0]).slice(0, 200);
}

function yamlsIn(folder) {
    return fs.existsSync(folder) ? fs.readdirSync(folder).filter(name => name.endsWith('.yaml')).sort().map(name => `${folder}/${name}`) : [];
}

function foldersOf(folder) {
    const inside = fs.readdirSync(folder, { withFileTypes: true }).filter(one => one.isDirectory()).map(one => one.name).sort();
    return [folder, ...inside.flatMap(name => foldersOf(`${folder}/${name}`))];
}

function corpus(malformed) {
    const files = [];
    for (const folder of ['good', 'good/environments', 'include', 'include/fragments', 'bad'])
        for (const file of yamlsIn(`tests/golden/${folder}`))
            files.push({ id: `golden/${path.relative('tests/golden', file)}`, file });
    for (const folder of ['environments', 'scenarios', 'drills', 'first_screen'].map(one => `tests/golden/language/${one}`))
        for (const file of yamlsIn(folder))
            files.push({ id: path.relative('tests/golden', file), file });
    for (const folder of foldersOf('scenarios'))
        for (const file of yamlsIn(folder))
            files.push({ id: file, file });
    for (const one of fs.readdirSync(malformed).sort())
        for (const file of yamlsIn(`${malformed}/${one}`))
            files.push({ id: `malformed/${one}`, file });
    return files;
}

// Of malformed files that is known: malformed_test.py asked it, and failed where it was otherwise.
function validate(id, file, text) {
    if (id.startsWith('malformed/'))
        return id.includes('.good.');
    const options = /^# validate: (.*)/.exec(text);
    const project = ['tests/golden/language', 'tests/golden', 'scenarios/published'].find(one => file.startsWith(`${one}/`));
    const folder = project ? ['-C', project] : [];
    const name = project ? path.relative(project, file) : file;
    const args = [...folder, 'validate', ...(options ? options[1].split(/\s+/) : []), name];
    return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

// The number of the first error that a golden file's messages have.
function numberOf(file) {
    const said = file.replace(/\.yaml$/, '.expect');
    const found = fs.existsSync(said) ? /error\[(E\d+)\]/.exec(fs.readFileSync(said, 'utf8')) : null;
    return found ? found[1] : '';
}

// Lines `GLOB  reason` or `E123  reason`: what only `validate` can know.
function beyond() {
    const lines = fs.readFileSync(`${here}/beyond.txt`, 'utf8').split('\n').filter(line => line && !line.startsWith('#'));
    return lines.map(line => {
        const [glob, ...reason] = line.split(/ {2,}/);
        const pattern = glob.split('*').map(part => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*');
        return { glob, reason: reason.join(' '), pattern: new RegExp(`^${pattern}$`), used: 0 };
    });
}

const rows = beyond();
const count = { accepted: 0, refused: 0, beyond: 0 };
const wrong = [];
for (const { id, file } of corpus(process.argv[2] || `${build}/malformed`)) {
    const text = fs.readFileSync(file, 'utf8');
    const right = validate(id, file, text);
    const why = editor(text);
    const number = right ? '' : numberOf(file);
    const row = rows.find(one => one.pattern.test(id) || one.glob === number);
    if (right && why !== null)
        wrong.push(`${id}: validate accepts it, the schema does not: ${why}`);
    else if (right)
        count.accepted++;
    else if (why !== null)
        count.refused++;
    else if (row === undefined || row.reason === '')
        wrong.push(`${id}: validate refuses it, the schema accepts it, and beyond.txt does not say why`);
    else
        row.used++, count.beyond++;
}
for (const row of rows)
    if (row.used === 0)
        wrong.push(`beyond.txt: ${row.glob}: the schema refuses all of these`);
for (const line of wrong.slice(0, Number(process.env.SHOW || 40)))
    console.log(`# ${line}`);
console.log(`${wrong.length === 0 ? 'ok' : 'not ok'} schemas and validate agree: ${count.accepted} accepted by both, ` +
    `${count.refused} refused by both, ${count.beyond} beyond a schema (${rows.length} reasons), ${wrong.length} wrong`);
process.exit(wrong.length === 0 ? 0 : 1);
