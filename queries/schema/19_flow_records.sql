-- Records of flows: one row a flow, the original record as JSON, without security codes.
-- parameters: none
CREATE TABLE flow_records (
    flow_id VARCHAR NOT NULL,
    record VARCHAR NOT NULL USING COMPRESSION zstd
)
