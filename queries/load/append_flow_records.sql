-- Put in records of flows of a file; `incoming` holds them, and seq, their order in the file.
-- parameters: none
INSERT INTO flow_records BY NAME SELECT * EXCLUDE (seq) FROM incoming
