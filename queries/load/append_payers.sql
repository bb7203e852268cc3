-- Add a batch of payers to those of the file; `incoming` is the batch.
-- parameters: none
INSERT INTO staged_payers BY NAME SELECT * FROM incoming
