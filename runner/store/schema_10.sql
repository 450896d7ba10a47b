-- schema_10.sql - version 10 of the store: every change of who leads, not the first alone.
-- SPDX-License-Identifier: Apache-2.0
CREATE TABLE moves (
    run INTEGER NOT NULL REFERENCES runs (key),
    role TEXT NOT NULL,
    number INTEGER NOT NULL, -- of the role, from 1, in order of time
    host TEXT NOT NULL,      -- who leads from then on
    low INTEGER NOT NULL,
    high INTEGER NOT NULL,
    PRIMARY KEY (run, role, number)
) STRICT;

PRAGMA user_version = 10;
