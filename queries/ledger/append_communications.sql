-- Put what a run emits into the ledger; `incoming` holds it.
-- parameters: run_id
INSERT INTO communications BY NAME SELECT *, $run_id AS run_id FROM incoming
