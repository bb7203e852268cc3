-- An empty temporary table for the transactions of one file; seq is the order of its records.
-- parameters: none
CREATE OR REPLACE TEMP TABLE staged_transactions AS SELECT 0::BIGINT AS seq, * FROM transactions LIMIT 0
