-- Runs: one row a nightly run that happened.
-- parameters: none
CREATE TABLE runs (
    run_id VARCHAR NOT NULL,
    inputs_sha256 VARCHAR NOT NULL,
    as_of TIMESTAMPTZ NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    folder VARCHAR NOT NULL,
    staged VARCHAR,
    manifest VARCHAR NOT NULL USING COMPRESSION zstd
)
