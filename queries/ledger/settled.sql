-- Which campaigns and payments have been decided for good: emitted, or finally suppressed; `incoming` holds what is asked.
-- parameters: none
-- grain: one row a campaign and payment
-- columns: campaign_id, organization_code, payment_id
SELECT
    incoming.campaign_id,
    incoming.organization_code,
    incoming.payment_id
FROM incoming
WHERE
    (incoming.campaign_id, incoming.organization_code, incoming.payment_id) IN (
        SELECT campaign_id, organization_code, payment_id FROM communications
        UNION ALL
        SELECT campaign_id, organization_code, payment_id FROM final_suppressions
    )
