-- From version 3: the loads that were put aside; nobody was forgotten then.
-- parameters: none
INSERT INTO loads BY NAME SELECT *, 0 AS forgotten FROM loads_of_version_3
