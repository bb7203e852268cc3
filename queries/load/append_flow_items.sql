-- Put in flow items of a file; `incoming` holds them, and seq, their order in the file.
-- parameters: none
INSERT INTO flow_items BY NAME SELECT * EXCLUDE (seq) FROM incoming
