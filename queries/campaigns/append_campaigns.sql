-- Put campaigns in; `incoming` holds them.
-- parameters: none
INSERT INTO campaigns BY NAME SELECT * FROM incoming
