-- Rejects: one row a quarantined record of a file.
-- parameters: none
CREATE TABLE rejects (
    reject_id VARCHAR NOT NULL,
    load_id BIGINT NOT NULL,
    path VARCHAR NOT NULL,
    file_sha256 VARCHAR NOT NULL,
    record_no BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    pointer VARCHAR NOT NULL,
    expected VARCHAR NOT NULL,
    found VARCHAR,
    faults STRUCT(reason VARCHAR, pointer VARCHAR, expected VARCHAR, found VARCHAR)[] NOT NULL,
    raw VARCHAR NOT NULL USING COMPRESSION zstd,
    raw_sha256 VARCHAR NOT NULL,
    root_organization VARCHAR
)
