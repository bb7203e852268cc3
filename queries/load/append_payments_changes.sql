-- Record what updates of payments changed; `incoming` holds the key, record_no and the changes.
-- parameters: load_id
INSERT INTO payment_changes BY NAME SELECT *, $load_id AS load_id FROM incoming
