-- schema_7.sql - version 7 of the store: faults of several steps that were fired together.
-- SPDX-License-Identifier: Apache-2.0
ALTER TABLE faults ADD COLUMN together INTEGER NOT NULL DEFAULT 0; -- of one `parallel`; 0: alone

PRAGMA user_version = 7;
