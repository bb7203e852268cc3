-- A page of the suppression list, the newest first.
-- parameters: most, skipped
-- grain: one row an entry
-- columns: those of opt_outs
SELECT * FROM opt_outs
ORDER BY added_at DESC, opt_out_id
LIMIT $most OFFSET $skipped
