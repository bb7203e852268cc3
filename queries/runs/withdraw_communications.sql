-- Take a run back: its rows of communications.
-- parameters: run_id
DELETE FROM communications WHERE run_id = $run_id
