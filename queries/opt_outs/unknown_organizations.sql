-- Which organizations of `incoming` have neither a payment nor a campaign in the store, however their codes are cased.
-- parameters: none
-- grain: one row an organization
-- columns: organization_code
SELECT incoming.organization_code
FROM incoming
WHERE
    lower(incoming.organization_code) NOT IN (
        SELECT lower(organization_code) FROM payments
        UNION
        SELECT lower(organization_code) FROM campaigns
    )
ORDER BY incoming.organization_code
