-- Put in flows of a file; `incoming` holds them, and seq, their order in the file.
-- parameters: none
INSERT INTO flows BY NAME SELECT * EXCLUDE (seq) FROM incoming
