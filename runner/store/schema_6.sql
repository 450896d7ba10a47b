-- schema_6.sql - version 6 of the store: runs that are cycles of one repeat.
-- SPDX-License-Identifier: Apache-2.0
CREATE TABLE cycles (
    run INTEGER PRIMARY KEY REFERENCES runs (key),
    first TEXT NOT NULL, -- the id of the first of them
    number INTEGER NOT NULL,
    of INTEGER NOT NULL
) STRICT;
CREATE INDEX cycles_of_first ON cycles (first);

ALTER TABLE results ADD COLUMN first TEXT; -- the same beside what trends read; NULL: no repeat
ALTER TABLE results ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
ALTER TABLE results ADD COLUMN of INTEGER NOT NULL DEFAULT 0;

PRAGMA user_version = 6;
