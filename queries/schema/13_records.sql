-- Records: one row a payment, the original record as JSON, without security codes.
-- parameters: none
CREATE TABLE records (
    organization_code VARCHAR NOT NULL,
    payment_id VARCHAR NOT NULL,
    record VARCHAR NOT NULL USING COMPRESSION zstd
)
