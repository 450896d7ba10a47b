-- schema_9.sql - version 9 of the store: game days, whose drills are runs like any other.
-- SPDX-License-Identifier: Apache-2.0
CREATE TABLE gamedays (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    environment TEXT NOT NULL,
    who TEXT NOT NULL,
    hash TEXT NOT NULL, -- of its file
    started INTEGER NOT NULL,
    ended INTEGER,      -- NULL: it goes on, or its runner died
    ended_as TEXT,
    why TEXT,
    pid INTEGER NOT NULL, -- who runs it, as in details
    process_started INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    pid_namespace TEXT NOT NULL,
    machine TEXT NOT NULL
) STRICT;

CREATE TABLE gameday_drills ( -- number: from 1
    id INTEGER PRIMARY KEY,
    scenario TEXT NOT NULL,
    owner TEXT,
    state TEXT NOT NULL, -- waiting begun done left_out
    run TEXT,            -- the last one of it
    earlier TEXT,        -- the one before, whose runner died
    verdict TEXT,
    why TEXT
) STRICT;

ALTER TABLE notes ADD COLUMN gameday INTEGER REFERENCES gamedays (key);
CREATE INDEX notes_of_gameday ON notes (gameday, at_low);

PRAGMA user_version = 9;
