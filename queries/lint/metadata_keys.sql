-- The metadata keys of the payments that a campaign may target, the most frequent first.
-- parameters: organization_code, country, since, until, statuses, most
-- grain: one row a key
-- columns: key, payments
SELECT
    key,
    count(*) AS payments
FROM (
    SELECT unnest(map_keys(metadata)) AS key
    FROM payments
    WHERE
        organization_code = $organization_code
        AND country = $country
        AND created_at >= $since::TIMESTAMPTZ
        AND created_at < $until::TIMESTAMPTZ
        AND NOT list_contains($statuses::VARCHAR[], status)
) AS present
GROUP BY key
ORDER BY payments DESC, key
LIMIT coalesce($most::BIGINT, 0)
