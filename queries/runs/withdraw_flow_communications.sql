-- Take a run back: its rows of flow_communications.
-- parameters: run_id
DELETE FROM flow_communications WHERE run_id = $run_id
