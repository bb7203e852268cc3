-- An empty temporary table for the payments of one file; seq is the order of its records.
-- parameters: none
CREATE OR REPLACE TEMP TABLE staged_payments AS SELECT 0::BIGINT AS seq, * EXCLUDE (load_id) FROM payments LIMIT 0
