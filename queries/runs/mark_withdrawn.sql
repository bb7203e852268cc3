-- Remember that a run was taken back: copies of its folder are not to be submitted.
-- parameters: run_id, changed_at
INSERT INTO submissions VALUES ($run_id, '', 0, 'withdrawn', 0, NULL, NULL, $changed_at)
