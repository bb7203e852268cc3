-- Put everything into the new file, so that it has no write-ahead log.
-- parameters: none
CHECKPOINT fresh
