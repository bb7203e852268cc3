-- The version of the schema that the store was made with.
-- parameters: none
-- grain: one row
-- columns: schema_version
SELECT schema_version FROM recovery_batch_store
