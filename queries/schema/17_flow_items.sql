-- Items: one row an element of a flow's cart.
-- parameters: none
CREATE TABLE flow_items (
    flow_id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    sku VARCHAR,
    name VARCHAR,
    quantity BIGINT,
    price DECIMAL(24, 6)
)
