-- schema_2.sql - version 2 of the store: what lists of runs are looked up by.
-- SPDX-License-Identifier: Apache-2.0
CREATE INDEX runs_started ON runs (started);
CREATE INDEX runs_of_scenario ON runs (scenario, environment, started);

PRAGMA user_version = 2;
