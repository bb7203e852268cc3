-- From version 3: the loads that a store has, put aside.
-- parameters: none
ALTER TABLE loads RENAME TO loads_of_version_3
