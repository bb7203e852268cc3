-- What has happened so far, as one SHA-256: the runs that are recorded, and who asked to be left alone.
-- parameters: none
-- grain: one row
-- columns: ledger_sha256
SELECT sha256(coalesce(string_agg(known.id, chr(10) ORDER BY known.id), '')) AS ledger_sha256
FROM (
    SELECT run_id AS id FROM runs
    UNION ALL
    SELECT row(organization_code, campaign_id, phone, is_international, user_id)::VARCHAR AS id FROM opt_outs
) AS known
