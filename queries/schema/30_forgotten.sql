-- Forgotten: one row a keyed hash of what a person who was erased is known by.
-- parameters: none
CREATE TABLE forgotten (
    kind VARCHAR NOT NULL,
    hash VARCHAR NOT NULL,
    forgotten_at TIMESTAMPTZ NOT NULL
)
