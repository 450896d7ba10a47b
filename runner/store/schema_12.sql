-- schema_12.sql - version 12 of the store: roles that were given back to who led at the start.
-- SPDX-License-Identifier: Apache-2.0
CREATE TABLE switch_backs (
    run INTEGER NOT NULL REFERENCES runs (key),
    role TEXT NOT NULL,
    host TEXT,                   -- who led at the start; NULL = nobody knew
    asked INTEGER NOT NULL,      -- 0 = it was not
    leads_low INTEGER NOT NULL,
    leads_high INTEGER NOT NULL, -- 0 = not seen
    whole_low INTEGER NOT NULL,
    whole_high INTEGER NOT NULL,
    lost_again INTEGER NOT NULL, -- how often it led again, and another did before all was whole
    refused INTEGER NOT NULL,
    why TEXT NOT NULL,
    last TEXT,                   -- who leads at the end; NULL = nobody knows
    PRIMARY KEY (run, role)
) STRICT;

PRAGMA user_version = 12;
