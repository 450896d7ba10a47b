-- schema_5.sql - version 5 of the store: its own name, and what captured texts were.
-- SPDX-License-Identifier: Apache-2.0
CREATE TABLE identity (
    id TEXT NOT NULL -- a plan is run in the store that it was made in, which knows whether it was
) STRICT;
INSERT INTO identity VALUES (lower(hex(randomblob(16))));

-- Of a text: whether it was what `equals` expects, judged before secrets were taken out of it.
ALTER TABLE figures ADD COLUMN equal INTEGER NOT NULL DEFAULT 0; -- enum Known; 0: not judged then

PRAGMA user_version = 5;
