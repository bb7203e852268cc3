-- How many payments each organization has in each country, successful ones too, and when they were created.
-- parameters: none
-- grain: one row an organization and country
-- columns: organization_code, country, payments, first_created_at, last_created_at
SELECT
    organization_code,
    country,
    count(*) AS payments,
    min(created_at) AS first_created_at,
    max(created_at) AS last_created_at
FROM payments
GROUP BY organization_code, country
ORDER BY organization_code, country
