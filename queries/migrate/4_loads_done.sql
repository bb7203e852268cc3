-- From version 3: what was put aside is no longer needed.
-- parameters: none
DROP TABLE loads_of_version_3
