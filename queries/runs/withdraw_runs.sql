-- Take a run back: its rows of runs.
-- parameters: run_id
DELETE FROM runs WHERE run_id = $run_id
