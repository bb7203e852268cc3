-- Add a batch of payments to those of the file; `incoming` is the batch.
-- parameters: none
INSERT INTO staged_payments BY NAME SELECT * FROM incoming
