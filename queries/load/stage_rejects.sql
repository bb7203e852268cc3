-- An empty temporary table for the rejects of one file.
-- parameters: none
CREATE OR REPLACE TEMP TABLE staged_rejects AS SELECT * EXCLUDE (load_id, path, file_sha256) FROM rejects LIMIT 0
