-- Say that the database is ours, and which version of the schema it has.
-- parameters: schema_version
INSERT INTO recovery_batch_store VALUES ($schema_version)
