-- Put in payments of a file; `incoming` holds them, and seq, their order in the file.
-- parameters: none
INSERT INTO payments BY NAME SELECT * EXCLUDE (seq) FROM incoming
