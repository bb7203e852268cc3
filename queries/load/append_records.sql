-- Add a batch of records to those of the file; `incoming` is the batch.
-- parameters: none
INSERT INTO staged_records BY NAME SELECT * FROM incoming
