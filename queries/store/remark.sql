-- Say that the store has been brought to a version.
-- parameters: schema_version
UPDATE recovery_batch_store SET schema_version = $schema_version
