-- Customers: one row a flow, who left it.
-- parameters: none
CREATE TABLE flow_customers (
    flow_id VARCHAR NOT NULL,
    full_name VARCHAR,
    phone_number VARCHAR,
    email VARCHAR,
    language VARCHAR
)
