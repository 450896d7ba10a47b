-- schema_8.sql - version 8 of the store: what people noted while it ran, and afterwards.
-- SPDX-License-Identifier: Apache-2.0
CREATE TABLE notes (
    key INTEGER PRIMARY KEY,
    run INTEGER REFERENCES runs (key),
    at_low INTEGER NOT NULL,  -- since 1970: it was between these two
    at_high INTEGER NOT NULL,
    made INTEGER NOT NULL,    -- since 1970: when it was written down
    who TEXT NOT NULL,
    type TEXT NOT NULL,       -- note declared acknowledged mitigated go
    text TEXT NOT NULL
) STRICT;
CREATE INDEX notes_of_run ON notes (run, at_low);

PRAGMA user_version = 8;
