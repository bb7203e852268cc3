-- Take a run back: its rows of submissions.
-- parameters: run_id
DELETE FROM submissions WHERE run_id = $run_id
