-- From version 3: what the users of a holdout are drawn with.
-- parameters: none
ALTER TABLE campaigns ADD COLUMN holdout_seed VARCHAR
