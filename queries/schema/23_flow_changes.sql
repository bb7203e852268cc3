-- Flow changes: one row a record of a file that changed a flow that was there.
-- parameters: none
CREATE TABLE flow_changes (
    flow_id VARCHAR NOT NULL,
    load_id BIGINT NOT NULL,
    record_no BIGINT NOT NULL,
    changes STRUCT(field VARCHAR, "before" VARCHAR, "after" VARCHAR)[] NOT NULL
)
