-- What some users were sent; `incoming` holds them, and user_hash, what one who was forgotten is known by.
-- parameters: none
-- Two joins, each on equality: one condition with OR would hold every user against every row.
-- grain: one row a communication
-- columns: organization_code, user_id, campaign_id, planned_at
WITH
users AS MATERIALIZED (
    SELECT
        organization_code,
        user_id,
        user_hash
    FROM incoming
)

SELECT
    users.organization_code,
    users.user_id,
    communications.campaign_id,
    communications.planned_at
FROM communications
INNER JOIN users
    ON
        users.organization_code = communications.organization_code
        AND users.user_id = communications.user_id
UNION ALL
SELECT
    users.organization_code,
    users.user_id,
    communications.campaign_id,
    communications.planned_at
FROM communications
INNER JOIN users
    ON
        users.organization_code = communications.organization_code
        AND users.user_hash = communications.user_hash
