-- What a killed process was sending of a run has an unknown outcome.
-- parameters: run_id, message, changed_at
UPDATE submissions
SET
    state = 'unknown',
    message = $message,
    changed_at = $changed_at
WHERE run_id = $run_id AND state = 'sending'
