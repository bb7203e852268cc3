-- What a killed process was sending has an unknown outcome.
-- parameters: message, changed_at
UPDATE submissions
SET
    state = 'unknown',
    message = $message,
    changed_at = $changed_at
WHERE state = 'sending'
