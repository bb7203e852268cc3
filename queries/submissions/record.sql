-- Record what became of requests; `incoming` holds rows of submissions, which replace those of the same request.
-- parameters: none
MERGE INTO submissions
USING incoming
    ON
        incoming.run_id = submissions.run_id
        AND incoming.path = submissions.path
        AND incoming.line = submissions.line
WHEN MATCHED THEN UPDATE SET
    state = incoming.state,
    attempts = incoming.attempts,
    status_code = incoming.status_code,
    message = incoming.message,
    changed_at = incoming.changed_at
WHEN NOT MATCHED THEN INSERT (run_id, path, line, state, attempts, status_code, message, changed_at) VALUES (
    incoming.run_id,
    incoming.path,
    incoming.line,
    incoming.state,
    incoming.attempts,
    incoming.status_code,
    incoming.message,
    incoming.changed_at
)
