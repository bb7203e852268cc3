-- An empty temporary table for the payers of one file; seq is the order of its records.
-- parameters: none
CREATE OR REPLACE TEMP TABLE staged_payers AS SELECT 0::BIGINT AS seq, * FROM payers LIMIT 0
