-- About which orders campaigns have contacted somebody; `incoming` holds what is asked.
-- parameters: none
-- grain: one row a campaign and order
-- columns: campaign_id, organization_code, order_id
SELECT DISTINCT
    communications.campaign_id,
    communications.organization_code,
    communications.order_id
FROM communications
INNER JOIN incoming
    ON
        incoming.campaign_id = communications.campaign_id
        AND incoming.organization_code = communications.organization_code
        AND incoming.order_id = communications.order_id
