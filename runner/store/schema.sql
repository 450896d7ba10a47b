-- schema.sql - version 1 of the store.
-- SPDX-License-Identifier: Apache-2.0
--
-- Times of a run are nanoseconds of the runner's CLOCK_MONOTONIC; started, ended, since and acts_by
-- are nanoseconds since 1970. Where a table has an `id` it is its run's key * 2^32 + a number, so
-- that the rows of a run lie side by side and need no index: WHERE id >> 32 = KEY is for people,
-- WHERE id BETWEEN is for us. Verdicts and states are stored by name.

CREATE TABLE runs ( -- narrow: `runs` and `trends` read all of them
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    scenario TEXT NOT NULL,
    environment TEXT NOT NULL,
    is_protected INTEGER NOT NULL,
    who TEXT NOT NULL,
    text_hash TEXT NOT NULL,
    behaviour_hash TEXT NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER,      -- NULL: it runs, or its runner died
    ended_as TEXT,      -- PASS: ran to its end
    why TEXT,
    judged TEXT,        -- the verdict of its report; NULL: none yet
    judged_why TEXT,
    unaffected INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE texts ( -- each text once, however often it was run
    key INTEGER PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE details (
    run INTEGER PRIMARY KEY REFERENCES runs (key),
    version TEXT NOT NULL,
    text INTEGER NOT NULL REFERENCES texts (key),
    canonical INTEGER NOT NULL REFERENCES texts (key),
    plan_hash TEXT NOT NULL,
    bytes_hash TEXT NOT NULL,
    seed INTEGER NOT NULL,
    hypothesis TEXT,
    owner TEXT,
    runbook TEXT,
    tags TEXT NOT NULL,
    pid INTEGER NOT NULL,              -- who ran it: pid and start time name a process,
    process_started INTEGER NOT NULL,  -- within a boot and a pid namespace of a machine
    boot_id TEXT NOT NULL,
    pid_namespace TEXT NOT NULL,
    machine TEXT NOT NULL,
    mono_started INTEGER NOT NULL,
    boottime_started INTEGER NOT NULL,
    mono_ended INTEGER NOT NULL DEFAULT 0,
    suspended INTEGER NOT NULL DEFAULT 0,
    not_steady INTEGER NOT NULL DEFAULT 0,
    baseline_began INTEGER NOT NULL DEFAULT 0,
    steps_began INTEGER NOT NULL DEFAULT 0,
    observing_ended INTEGER NOT NULL DEFAULT 0,
    undo_began INTEGER NOT NULL DEFAULT 0,
    settled INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE hosts ( -- number: from 1, as samples.answered_by says it
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL
) STRICT;

CREATE TABLE probes ( -- number: from 0
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    asks TEXT NOT NULL,
    role TEXT,
    from_host TEXT,
    interval_ns INTEGER NOT NULL,
    timeout_ns INTEGER NOT NULL,
    under_ns INTEGER NOT NULL,
    hold_ns INTEGER NOT NULL,
    gap_ns INTEGER NOT NULL,
    is_ledger INTEGER NOT NULL,
    is_primary INTEGER NOT NULL,
    control INTEGER NOT NULL,
    read_back INTEGER NOT NULL DEFAULT 0 -- 0 unknown, 1 cut short, 2 complete
) STRICT;

CREATE TABLE expectations (
    id INTEGER PRIMARY KEY,
    probe TEXT NOT NULL,
    word TEXT NOT NULL,
    bound INTEGER NOT NULL,
    is_duration INTEGER NOT NULL
) STRICT;

CREATE TABLE systems (
    run INTEGER NOT NULL REFERENCES runs (key),
    role TEXT NOT NULL,
    system TEXT NOT NULL,
    detected_low INTEGER NOT NULL,
    detected_high INTEGER NOT NULL,
    failed_over_low INTEGER NOT NULL,
    failed_over_high INTEGER NOT NULL,
    redundant_low INTEGER NOT NULL,
    redundant_high INTEGER NOT NULL,
    redundancy_was_whole INTEGER NOT NULL,
    primary_before TEXT,
    primary_after TEXT,
    expected_low INTEGER NOT NULL,
    expected_high INTEGER NOT NULL,
    knobs TEXT,
    PRIMARY KEY (run, role)
) STRICT;

-- The undo log: all that `undo` needs without scenario, environment file or the same version.
CREATE TABLE faults ( -- number: from 1; traces on the host carry TOKEN_NUMBER
    id INTEGER PRIMARY KEY,
    state TEXT NOT NULL,
    token TEXT NOT NULL,
    step TEXT NOT NULL,
    kind TEXT NOT NULL,
    role TEXT,
    host TEXT NOT NULL,
    address TEXT,
    host_key TEXT,
    machine_id TEXT,
    reach TEXT NOT NULL,
    reach_config TEXT NOT NULL, -- JSON
    boot_id TEXT NOT NULL,
    ends_by TEXT NOT NULL,      -- K P R S
    apply TEXT NOT NULL,
    undo TEXT NOT NULL,
    all_clear TEXT NOT NULL,
    proof TEXT NOT NULL,
    stays TEXT,
    lease_ns INTEGER NOT NULL,
    cap_ns INTEGER NOT NULL,
    acts_by INTEGER NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0,
    proven INTEGER NOT NULL DEFAULT 0,
    ended_early INTEGER NOT NULL DEFAULT 0,
    undo_sent INTEGER NOT NULL DEFAULT 0,
    undone INTEGER NOT NULL DEFAULT 0,
    closed INTEGER NOT NULL DEFAULT 0, -- by hand, since 1970
    why TEXT
) STRICT;
CREATE INDEX faults_open ON faults (state) WHERE state <> 'CLEAR';

-- Only ever appended to. `hash` covers the row and the hash before it; `digest` what the row is about
-- (the fault, the run's end ...) as it then stood.
CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    type TEXT NOT NULL, -- begin event fault end judged
    at INTEGER NOT NULL,
    fault INTEGER NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    digest TEXT,
    hash TEXT NOT NULL
) STRICT;

-- intended: after mono_started of the run; started, ended: after intended.
CREATE TABLE samples (
    id INTEGER PRIMARY KEY,
    probe INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    intended INTEGER NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    failure INTEGER NOT NULL,
    code INTEGER NOT NULL,
    connected INTEGER NOT NULL,
    writer INTEGER, -- ledgers only
    number INTEGER,
    answered_by INTEGER
) STRICT;

CREATE TABLE census (
    id INTEGER PRIMARY KEY,
    probe INTEGER NOT NULL,
    host INTEGER NOT NULL,
    asked INTEGER NOT NULL, -- after mono_started
    answered INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    identity TEXT NOT NULL
) STRICT;

CREATE TABLE found (
    id INTEGER PRIMARY KEY,
    probe INTEGER NOT NULL,
    host INTEGER NOT NULL,
    writer INTEGER NOT NULL,
    number INTEGER NOT NULL
) STRICT;

CREATE TABLE series ( -- what trends compare: the same drill, seen by the same probe
    key INTEGER PRIMARY KEY,
    scenario TEXT NOT NULL,
    environment TEXT NOT NULL,
    probe TEXT NOT NULL,
    behaviour_hash TEXT NOT NULL,
    UNIQUE (scenario, environment, probe, behaviour_hash)
) STRICT;

-- Judged runs, all that trends need of them: id is the key of the series * 2^32 + a number from 1, so
-- that a series lies side by side.
CREATE TABLE results (
    id INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    started INTEGER NOT NULL,
    finished INTEGER NOT NULL,
    is_protected INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    why TEXT NOT NULL,
    recovery_low INTEGER NOT NULL, -- -1: none
    recovery_high INTEGER NOT NULL,
    limit_ns INTEGER NOT NULL,
    lost INTEGER NOT NULL,
    unaffected INTEGER NOT NULL,
    censored INTEGER NOT NULL
) STRICT;

CREATE TABLE locks (
    environment TEXT PRIMARY KEY,
    run TEXT NOT NULL,
    who TEXT NOT NULL,
    since INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    process_started INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    pid_namespace TEXT NOT NULL,
    machine TEXT NOT NULL
) STRICT;

CREATE TABLE halts (
    run TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    who TEXT NOT NULL
) STRICT;

PRAGMA application_id = 1717858924; -- "fdrl"
PRAGMA user_version = 1;
