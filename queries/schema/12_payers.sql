-- Payers: one row a payment, the customer who made it. Names and phones stand here, in records and in rejects.
-- parameters: none
CREATE TABLE payers (
    organization_code VARCHAR NOT NULL,
    payment_id VARCHAR NOT NULL,
    name VARCHAR,
    phone_number VARCHAR,
    phone_country_code VARCHAR
)
