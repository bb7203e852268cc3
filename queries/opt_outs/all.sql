-- The suppression list as a run reads it: whom it is about, and in what scope.
-- parameters: none
-- grain: one row an entry
-- columns: organization_code, campaign_id, phone, is_international, user_id
SELECT
    organization_code,
    campaign_id,
    phone,
    is_international,
    user_id
FROM opt_outs
