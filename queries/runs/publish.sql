-- Say that the folder of a run is in its place.
-- parameters: run_id
UPDATE runs SET staged = NULL WHERE run_id = $run_id
