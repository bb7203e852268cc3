-- One thread puts rows in: several would each gather theirs, and then put them in once more, one after the other.
-- parameters: none
SET threads = 1
