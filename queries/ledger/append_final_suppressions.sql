-- Record what a run leaves out for good; `incoming` holds it.
-- parameters: run_id
INSERT INTO final_suppressions BY NAME SELECT *, $run_id AS run_id FROM incoming
