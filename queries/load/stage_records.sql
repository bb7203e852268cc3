-- An empty temporary table for the records of one file; seq is the order of its records.
-- parameters: none
CREATE OR REPLACE TEMP TABLE staged_records AS SELECT 0::BIGINT AS seq, * FROM records LIMIT 0
