-- Put entries on the suppression list; `incoming` holds them.
-- parameters: none
INSERT INTO opt_outs BY NAME SELECT * FROM incoming
