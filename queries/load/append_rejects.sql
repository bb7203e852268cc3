-- Add a batch of rejects to those of the file; `incoming` is the batch.
-- parameters: none
INSERT INTO staged_rejects BY NAME SELECT * FROM incoming
