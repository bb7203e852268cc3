-- Put in transactions of a file; `incoming` holds them, and seq, their order in the file.
-- parameters: none
INSERT INTO transactions BY NAME SELECT * EXCLUDE (seq) FROM incoming
