-- Take a run back: its rows of final_suppressions.
-- parameters: run_id
DELETE FROM final_suppressions WHERE run_id = $run_id
