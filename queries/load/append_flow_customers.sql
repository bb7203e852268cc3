-- Put in customers of flows of a file; `incoming` holds them, and seq, their order in the file.
-- parameters: none
INSERT INTO flow_customers BY NAME SELECT * EXCLUDE (seq) FROM incoming
