-- Which of some runs have happened.
-- parameters: run_ids
-- grain: one row a run
-- columns: run_id
SELECT run_id FROM runs WHERE list_contains($run_ids::VARCHAR[], run_id)
