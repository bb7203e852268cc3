-- From version 1: a quarantined element knows the organization of the request around it.
-- parameters: none
ALTER TABLE rejects ADD COLUMN root_organization VARCHAR
