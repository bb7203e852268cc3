-- The ledger of abandoned flows: one row a flow that a run emitted.
-- parameters: none
CREATE TABLE flow_communications (
    flow_id VARCHAR NOT NULL,
    phone_hash VARCHAR,
    channel VARCHAR NOT NULL,
    planned_at TIMESTAMPTZ NOT NULL,
    run_id VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    line BIGINT NOT NULL
)
