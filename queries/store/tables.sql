-- The tables of the open database, ours or another program's.
-- parameters: none
-- grain: one row a table
-- columns: name
SELECT table_name AS name FROM duckdb_tables() WHERE NOT internal AND NOT temporary
