-- Put in records of a file; `incoming` holds them, and seq, their order in the file.
-- parameters: none
INSERT INTO records BY NAME SELECT * EXCLUDE (seq) FROM incoming
