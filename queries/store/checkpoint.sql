-- Put everything that the write-ahead log holds into the file of the store.
-- parameters: none
CHECKPOINT
