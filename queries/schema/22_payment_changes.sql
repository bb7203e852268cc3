-- Payment changes: one row a record of a file that changed a payment that was there.
-- parameters: none
CREATE TABLE payment_changes (
    organization_code VARCHAR NOT NULL,
    payment_id VARCHAR NOT NULL,
    load_id BIGINT NOT NULL,
    record_no BIGINT NOT NULL,
    changes STRUCT(field VARCHAR, "before" VARCHAR, "after" VARCHAR)[] NOT NULL
)
