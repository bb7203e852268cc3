-- Put in payers of a file; `incoming` holds them, and seq, their order in the file.
-- parameters: none
INSERT INTO payers BY NAME SELECT * EXCLUDE (seq) FROM incoming
