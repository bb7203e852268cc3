-- Quarantined records that may name a person: they hold one of some digits or texts, or escapes that could hide them.
-- parameters: tails, texts
-- grain: one row a quarantined record
-- columns: reject_id, raw, root_organization
SELECT
    reject_id,
    raw,
    root_organization
FROM (
    SELECT
        reject_id,
        raw,
        root_organization,
        regexp_replace(raw, '[^0-9]', '', 'g') AS digits,
        lower(raw) AS lowered
    FROM rejects
) AS read
WHERE
    contains(raw, '\')
    OR len(list_filter($tails::VARCHAR[], lambda each: contains(digits, each))) > 0
    OR len(list_filter($texts::VARCHAR[], lambda each: contains(lowered, each))) > 0
ORDER BY reject_id
