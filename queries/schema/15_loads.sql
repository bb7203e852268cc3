-- Loads: one row a file that was loaded.
-- parameters: none
CREATE TABLE loads (
    load_id BIGINT NOT NULL,
    path VARCHAR NOT NULL,
    file_sha256 VARCHAR NOT NULL,
    bytes BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    timezone VARCHAR NOT NULL,
    loaded_at TIMESTAMPTZ NOT NULL,
    records BIGINT NOT NULL,
    inserted BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    quarantined BIGINT NOT NULL,
    forgotten BIGINT NOT NULL,
    not_submittable BIGINT NOT NULL,
    security_codes_removed BIGINT NOT NULL,
    CHECK (records = inserted + updated + unchanged + quarantined + forgotten)
)
