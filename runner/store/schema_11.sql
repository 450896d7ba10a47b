-- schema_11.sql - version 11 of the store: settings that explain a FAIL.
-- SPDX-License-Identifier: Apache-2.0
ALTER TABLE results ADD COLUMN advice TEXT; -- "ttl 60, loop_wait 20": as they were; NULL = none

PRAGMA user_version = 11;
