-- Add a batch of transactions to those of the file; `incoming` is the batch.
-- parameters: none
INSERT INTO staged_transactions BY NAME SELECT * FROM incoming
