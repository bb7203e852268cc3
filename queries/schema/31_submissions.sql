-- Submissions: one row a request of a run, as far as it is known what became of it.
-- parameters: none
CREATE TABLE submissions (
    run_id VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    line BIGINT NOT NULL,
    state VARCHAR NOT NULL,
    attempts BIGINT NOT NULL,
    status_code BIGINT,
    message VARCHAR,
    changed_at TIMESTAMPTZ NOT NULL
)
