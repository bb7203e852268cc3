-- Put the abandoned flows that a run emits into the ledger; `incoming` holds them.
-- parameters: run_id
INSERT INTO flow_communications BY NAME SELECT *, $run_id AS run_id FROM incoming
