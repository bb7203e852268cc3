-- From version 3: a campaign may keep a share of its users out for comparison.
-- parameters: none
ALTER TABLE campaigns ADD COLUMN holdout_share VARCHAR
