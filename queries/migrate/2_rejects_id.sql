-- From version 1: a quarantined record has an id that people can name it by.
-- parameters: none
ALTER TABLE rejects ADD COLUMN reject_id VARCHAR
