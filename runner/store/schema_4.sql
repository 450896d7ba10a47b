-- schema_4.sql - version 4 of the store: what steps measure and capture.
-- SPDX-License-Identifier: Apache-2.0
ALTER TABLE expectations ADD COLUMN text TEXT; -- of a figure: the limit as written

CREATE TABLE figures (
    run INTEGER NOT NULL REFERENCES runs (key),
    name TEXT NOT NULL,
    type TEXT NOT NULL,    -- clock seconds int text
    low INTEGER NOT NULL,  -- clock, seconds: ns
    high INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (run, name)
) STRICT;

PRAGMA user_version = 4;
