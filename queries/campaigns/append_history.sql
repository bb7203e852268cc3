-- Keep how campaigns are from now on; `incoming` holds them.
-- parameters: none
INSERT INTO campaign_history BY NAME SELECT * FROM incoming
