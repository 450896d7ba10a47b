-- schema_3.sql - version 3 of the store: faults that take a whole host, and are watched from here.
-- SPDX-License-Identifier: Apache-2.0
ALTER TABLE faults ADD COLUMN seat TEXT;     -- the folder of its guard on the runner's machine
ALTER TABLE faults ADD COLUMN strike TEXT;   -- what was sent to the host itself
ALTER TABLE faults ADD COLUMN returned TEXT; -- succeeds there once it does again what it did

PRAGMA user_version = 3;
