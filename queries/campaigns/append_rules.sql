-- Put rules in; `incoming` holds them.
-- parameters: none
INSERT INTO campaign_rules BY NAME SELECT * FROM incoming
