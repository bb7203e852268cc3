-- The table that tells a store from another program's database.
-- parameters: none
CREATE TABLE recovery_batch_store (schema_version INTEGER NOT NULL)
